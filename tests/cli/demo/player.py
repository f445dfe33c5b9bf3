"""Follows a page of the documentation as a reader would: in a fresh place, with free ports, command by command."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gateway.cli.demo.cluster import accepts, free_port
from tests.cli.demo.pages import Command, File, Program, Step, seen
from tests.support.drivers import E2E, cache

ROOT = Path(__file__).parents[3]
SECONDS = 120.0
MOST = 65_000
STAYS = {
    "querywarden demo": "Running. Ctrl-C",
    "querywarden serve": "event='ready'",
    "tools/bin/opa run": "Initializing server",
}
"""commands that go on until they are stopped, and what they print once they are up"""
ELSEWHERE = frozenset((ROOT / ".ci/run").read_text(encoding="utf-8").splitlines())
"""commands that CI runs anyway"""
OWN = re.compile(r"(?<![\w/.-])(?:\.venv/bin/)?querywarden (?=[a-z-])")
"""our own command, in front of a sub-command or an option"""
_PROGRAM = "\0"
DECISION = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass(slots=True)
class Player:
    """One reader at work."""

    place: Path
    names: dict[str, str]
    """what stands in the page, and what it is here"""
    stack: ExitStack
    decision: str = "DECISION"
    """the last one that was seen"""

    @property
    def work(self) -> Path:
        """Where the reader sits: as in a checkout, with the folders that pages speak of."""
        return self.place / "work"

    @classmethod
    def at(cls, place: Path, stack: ExitStack) -> Self:
        """A reader whose /tmp is `place`."""
        (place / "work").mkdir()
        for name in ("bundles", "tools"):
            (place / "work" / name).symlink_to(ROOT / name)
        for name in ("policies", "rego_tests"):  # copies, which the reader may change
            shutil.copytree(ROOT / name, place / "work" / name)
        names = {
            "/tmp/": f"{place}/",  # noqa: S108 -- as the pages call it
            **dict(zip(("6432", "6433", "6440", "6480"), map(str, consecutive(4)), strict=True)),
        }
        return cls(place, names, stack)

    def here(self, text: str) -> str:
        """A text of the page with our own paths and ports."""
        text = OWN.sub(_PROGRAM, text)
        for name, ours in self.names.items():
            text = text.replace(name, ours)
        text = re.sub(r"\bDECISION\b", self.decision, text)
        return text.replace(_PROGRAM, f"{sys.executable} -m gateway ")  # last: the checkout itself may be below /tmp

    def play(self, step: Step) -> None:
        """Do one thing; AssertionError when it does not come out as the page says."""
        match step:
            case File() if step.path.startswith("/etc/"):
                pass  # not ours to write; tests/shape/test_docs.py reads these
            case File():
                path = self.work / self.here(step.path)
                assert path.is_relative_to(self.place), f"{step.path} is not below /tmp"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(self.here(step.text), encoding="utf-8")
            case Program():
                output = self.finished(program(step.language, self.here(step.text), self.place / "program"), 0)
                assert "************1111" in output, output
            case Command() if step.text in ELSEWHERE:
                pass
            case Command():
                self.command(step)

    def command(self, step: Command) -> None:
        """Type a command."""
        stays = next(
            (up for start, up in STAYS.items() if step.text.removeprefix(".venv/bin/").startswith(start)), None
        )
        if stays and "--run" not in step.text:
            output = self.started(self.here(step.text), stays)
        else:
            output = self.finished(["/bin/bash", "-c", self.here(step.text)], step.code)
        missing = [line for line in step.output if not seen(self.here(line), output)]
        assert missing == [], f"$ {step.text}\n{output}"
        self.decision = (DECISION.findall(output) or [self.decision])[-1]

    def finished(self, arguments: list[str], code: int) -> str:
        """Run to the end; what it printed."""
        result = subprocess.run(
            arguments, cwd=self.work, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        assert result.returncode == code, f"{arguments[-1]}\n{result.stdout}"
        return result.stdout

    def started(self, text: str, up: str) -> str:
        """Start what stays, and wait until it is up; it is stopped at the end of the page."""
        printed = self.place / f"printed-{len(list(self.place.glob('printed-*')))}"
        with printed.open("wb") as output:
            process = subprocess.Popen(
                ["/bin/bash", "-c", f"exec {text}"], cwd=self.work, env=self.environment(), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        self.stack.callback(stop, process)
        deadline = time.monotonic() + SECONDS
        while up not in (said := printed.read_text(encoding="utf-8")):
            assert process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)
        return said

    def environment(self) -> dict[str, str]:
        """Ours, with a place of its own for temporary files."""
        temporary = self.place / "temporary"
        temporary.mkdir(mode=0o711, exist_ok=True)
        return {**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"}


def stop(process: "subprocess.Popen[bytes]") -> None:
    """SIGTERM, and wait."""
    process.send_signal(signal.SIGTERM)
    code = process.wait(timeout=SECONDS)
    assert code == 0, f"exit code {code}"


def consecutive(count: int) -> list[int]:
    """Ports in a row that are free."""
    while True:
        first = free_port()
        ports = list(range(first, first + count))
        if ports[-1] < MOST and not any(accepts(port) for port in ports):
            return ports


@contextmanager
def reader() -> Iterator[Callable[[Step], None]]:
    """A reader's way to do one step after the other."""
    place = Path(tempfile.mkdtemp(prefix="querywarden-tests-")).resolve()
    place.chmod(0o711)
    try:
        with ExitStack() as stack:
            yield Player.at(place, stack).play
    finally:
        shutil.rmtree(place)


def program(language: str, text: str, folder: Path) -> list[str]:
    """The command line that runs a program of the page."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    match language:
        case "python":
            return [sys.executable, "-c", text]
        case "javascript":
            (folder / "node_modules").symlink_to(cache() / "node" / "node_modules")
            (folder / "try.js").write_text(text, encoding="utf-8")
            return ["node", str(folder / "try.js")]
        case "java":
            (folder / "Try.java").write_text(text, encoding="utf-8")
            return ["java", "-cp", f"{cache()}/java/lib/*", str(folder / "Try.java")]
        case "go":
            for name in ("go.mod", "go.sum"):
                shutil.copy(E2E / "go" / name, folder)
            (folder / "try.go").write_text(text, encoding="utf-8")
            return ["/bin/sh", "-c", f"cd {folder} && go run ."]
    raise ValueError(language)
