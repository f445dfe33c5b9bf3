"""The test clients in Go, Java and JavaScript that tests/e2e/setup.sh has built, and how to run them."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

E2E = Path(__file__).parents[1] / "e2e"
SOURCES = (
    "go/go.mod",
    "go/go.sum",
    "go/main.go",
    "java/pom.xml",
    "java/Drive.java",
    "java/Cases.java",
    "node/package.json",
    "node/package-lock.json",
    "node/drive.js",
)
SECONDS = 100


def cache() -> Path:
    """Where setup.sh has put them; its name is the hash of their sources."""
    digest = hashlib.sha256(b"".join((E2E / name).read_bytes() for name in SOURCES)).hexdigest()[:16]
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "querywarden" / f"drivers-{digest}"
    assert (folder / "ready").exists(), "the test clients are not built: run tests/e2e/setup.sh, or make test"
    return folder


def command(name: str) -> Sequence[str]:
    """The command line of pgx, pgjdbc or node-pg's client."""
    folder = cache()
    match name:
        case "pgx":
            return [str(folder / "go-drive")]
        case "pgjdbc" | "pgjdbc-cases":
            classpath = f"{folder}/java/classes:{folder}/java/lib/*"
            program = "Drive" if name == "pgjdbc" else "Cases"
            return [_program("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath, program]
        case "node-pg":
            return [_program("node"), str(folder / "node/drive.js")]
    raise ValueError(name)


def _program(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not on PATH: run make test, which installs what the tests need"
    return found


def environment(conninfo: str) -> dict[str, str]:
    """The settings of a connection as the PG… variables every client reads."""
    parts = conninfo_to_dict(conninfo)
    names = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD"}
    names |= {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, **{variable: str(parts[name]) for name, variable in names.items()}}


def drive(name: str, conninfo: str) -> Mapping[str, object]:
    """Let a client take its tour; what it saw."""
    result = subprocess.run(
        command(name), env=environment(conninfo), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert result.returncode == 0, result.stderr[-4000:]
    seen: dict[str, object] = json.loads(result.stdout)
    return seen
