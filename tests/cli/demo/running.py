"""The demo as a process of its own, as a person starts it, and what it leaves behind."""

import os
import queue
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest

PATIENCE_SECONDS = 120.0
UP = "Running. Ctrl-C stops everything"


@dataclass(slots=True)
class Demo:
    """A demo that has been started, and its own place for temporary files."""

    process: subprocess.Popen[str]
    temporary: Path
    folder: Path
    said: list[str] = field(default_factory=list)
    lines: "queue.SimpleQueue[str]" = field(default_factory=queue.SimpleQueue)

    def listen(self) -> None:
        """Take down what it prints."""
        assert self.process.stdout is not None
        with self.process.stdout as output:
            for line in output:
                self.lines.put(line.rstrip("\n"))
        self.lines.put("")

    def wait_for(self, word: str) -> str:
        """The first line with a word in it."""
        while True:
            line = self.lines.get(timeout=PATIENCE_SECONDS)
            self.said.append(line)
            if word in line:
                return line
            if self.process.poll() is not None and self.lines.empty():
                pytest.fail("\n".join(self.said))

    def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def printed(self, start: str) -> str:
        """The one line that was printed with this beginning."""
        (line,) = [line.strip() for line in self.said if line.strip().startswith(start)]
        return line

    def left_running(self) -> list[str]:
        """Processes that still have to do with it."""
        places = (str(self.temporary), str(self.folder))
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                where = str((entry / "cwd").readlink())
            except OSError:
                continue
            if int(entry.name) != os.getpid() and any(place in f"{line} {where}" for place in places):
                found.append(line)
        return found


@contextmanager
def started(*options: str, environment: Mapping[str, str] = os.environ) -> Iterator[Demo]:
    """`querywarden demo` with its own folder for temporary files; ended with the block, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="querywarden-tests-") as name:
        temporary = Path(name)
        temporary.chmod(0o711)
        folder = temporary / "kept" / "demo"
        (temporary / "tmp").mkdir(mode=0o711)
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "gateway", "demo", "--folder", folder, *options],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**environment, "TMPDIR": str(temporary / "tmp")},
        )  # fmt: skip
        demo = Demo(process, temporary / "tmp", folder)
        listening = Thread(target=demo.listen, daemon=True)
        listening.start()
        try:
            yield demo
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)
            listening.join(PATIENCE_SECONDS)
