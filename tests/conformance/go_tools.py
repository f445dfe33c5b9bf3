"""Programs in Go that others wrote, or that use what others wrote: built once, into a cache outside the tree."""

import fcntl
import hashlib
import os
import subprocess
from pathlib import Path

GO = Path(__file__).parent / "go"
BUILD_SECONDS = 900
"""a first build compiles a whole SQLite"""


def built(module: str, *packages: str) -> Path:
    """The folder with the programs of these packages of a module below `go/`, pinned by its go.mod and go.sum."""
    source = GO / module
    digest = hashlib.sha256("\0".join(packages).encode())
    for path in sorted(source.rglob("*")):
        if path.name in {"go.mod", "go.sum"} or path.suffix == ".go":
            digest.update(path.read_bytes())
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "querywarden" / f"conformance-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "ready").exists():
            command = ["go", "build", "-o", f"{folder}/", *packages]
            subprocess.run(command, cwd=source, check=True, timeout=BUILD_SECONDS)
            (folder / "ready").touch()
    return folder
