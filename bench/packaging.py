"""`python -m bench.packaging [FOLDER] [DECISIONS]`: the evidence package of a million decisions, written and verified.

The folder's log grows by the leaf that each export records. Writes its part of docs/reference/performance.md when
FOLDER holds a million.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from bench import million
from bench.report import describe_machine
from bench.sections import PAGE, with_part
from bench.table import Row, markdown, targets
from gateway.evidence.keys import epochs, public_key
from gateway.evidence.package.assembled import verify_py

PROGRAM = Path(sys.executable).parent / "querywarden"
MILLION = 1_000_000


class Took(NamedTuple):
    """One command."""

    seconds: float
    megabytes: float
    """of memory at most"""


def took(*arguments: str | Path) -> Took:
    """Run it. Raises RuntimeError when it does not exit 0."""
    started = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{arguments} exited {process.returncode}")
    return Took(time.monotonic() - started, used.ru_maxrss / 1000)


def measure(folder: Path, place: Path) -> tuple[list[Row], list[tuple[str, str]]]:
    """Rows with a target, and rows without."""
    package, verifier = place / "evidence.zip", place / "verify.py"
    verifier.write_bytes(verify_py())
    key = public_key(folder / "keys", max(epochs(folder / "keys")))
    export = took(PROGRAM, "audit", "export", "--data", folder, "--from", "2000-01-01", "-o", package)
    check = took(sys.executable, "-I", verifier, package, "--key", key)
    rows = [
        Row("export, memory at most", "≤ 256 MB", f"{export.megabytes:.0f} MB", export.megabytes <= 256),
        Row("verify.py, memory at most", "≤ 256 MB", f"{check.megabytes:.0f} MB", check.megabytes <= 256),
        Row("export", "≤ 300 s", f"{export.seconds:.0f} s", export.seconds <= 300),
        Row("verify.py", "≤ 300 s", f"{check.seconds:.0f} s", check.seconds <= 300),
    ]
    return rows, [("the package", f"{package.stat().st_size / 1e9:.2f} GB")]


def section(rows: Sequence[Row], rest: Sequence[tuple[str, str]], machine: Sequence[tuple[str, str]], size: int) -> str:
    """Its part of the page."""
    return "\n".join(
        [
            f"## The evidence package of {size:,} decisions",
            "",
            f"By `python -m bench.packaging FOLDER` on {datetime.now(UTC):%Y-%m-%d}; each a process of its own.",
            "",
            markdown(("", ""), machine),
            targets(rows),
            markdown(("", "is"), rest),
        ]
    )


def main(arguments: list[str]) -> None:
    """Fill the folder if it is not, measure, print; the page only for a whole million."""
    folder = Path(arguments[0] if arguments else "/tmp/querywarden-million")  # noqa: S108 -- to be kept for the next run
    decisions = int(arguments[1]) if len(arguments) > 1 else MILLION
    million.ensure(folder, decisions)
    with TemporaryDirectory(prefix="querywarden-bench-", dir=folder.parent) as place:
        text = section(*measure(folder, Path(place)), describe_machine(), decisions)
    print(text)
    if decisions >= MILLION:
        PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), "packaging", text), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
