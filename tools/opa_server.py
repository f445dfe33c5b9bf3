"""A real `opa run` that fetches its bundle from a gateway's endpoint and verifies the signature itself."""

import contextlib
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from gateway.policy.compiler import Opa
from gateway.policy.keys import VerificationKey
from gateway.policy.opa_config import opa_configuration

SECONDS = 30.0


class OpaServer:
    """One process; its address is a unix socket."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self.process = process

    @property
    def url(self) -> str:
        """As `policy.opa.url` names it."""
        return f"unix://{self.folder}/opa.sock"

    @property
    def said(self) -> str:
        """What it has written to its log."""
        return (self.folder / "opa.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


@contextlib.contextmanager
def opa_server(endpoint: str, key: VerificationKey, *, name: str = "querywarden") -> Iterator[OpaServer]:
    """One that runs while the block does. `endpoint` is `http://host:port`, its bundle below `/v1/bundles/`."""
    folder = Path(tempfile.mkdtemp(prefix="opa-"))  # short: a socket's path has 107 bytes at most
    (folder / "config.json").write_text(json.dumps(opa_configuration(endpoint, name, [key])), encoding="utf-8")
    socket = folder / "opa.sock"
    arguments = ["run", "-s", "-a", f"unix://{socket}", "-c", str(folder / "config.json"), "--log-level", "error"]
    with (folder / "opa.log").open("wb") as log:
        process = subprocess.Popen(
            [Opa.find().program, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    server = OpaServer(folder, process)
    try:
        _await(socket, server)
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _await(socket: Path, server: OpaServer) -> None:
    deadline = time.monotonic() + SECONDS
    while not socket.exists():
        if server.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"opa does not run:\n{server.said}")
        time.sleep(0.02)
