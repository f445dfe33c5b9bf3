"""The gateway as a process of its own, as `serve` would run it, but for accepting the demo's key."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.cli.demo.cluster import accepts
from gateway.core.errors import Unavailable

START_SECONDS = 30.0
STOP_SECONDS = 20.0
WORKER = "gateway.cli.demo.worker"


@contextmanager
def gateway(folder: Path, port: int, module: str = WORKER, *options: str) -> Iterator[None]:
    """Run it on `gateway.yaml` of the folder while the block runs; its output goes into `gateway.log` there."""
    if accepts(port):
        raise Unavailable("demo.gateway_failed", f"port {port} is taken; --port-base chooses others")
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *options, str(folder / "gateway.yaml")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
            start_new_session=True,  # Ctrl-C is ours: sessions end in the record before the process does
        )  # fmt: skip
    try:
        wait_for(process, port, folder / "gateway.log")
        yield
    finally:
        stop(process)


def wait_for(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Return once the port answers. Raises Unavailable with the log's end when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > deadline:
            said = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
            raise Unavailable("demo.gateway_failed", f"the gateway did not start; {log} ends with\n{said}")
        time.sleep(0.05)


def stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM drains; what does not drain is ended."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=STOP_SECONDS)
    finally:  # also after a second Ctrl-C
        if process.poll() is None:
            process.kill()
            process.wait()
