"""Brings the suites that others wrote into a cache outside the tree, by the ordinary clients of their registries."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

PGX = "github.com/jackc/pgx/v5@v5.12.0"
ASYNCPG = "asyncpg==0.32.0"
SQLALCHEMY = "sqlalchemy==2.1.9"
CLIENTS = ("pytest==9.2.0", "psycopg[binary]==3.3.9", "greenlet==3.5.6", "distro==1.9.0", ASYNCPG, SQLALCHEMY)


def cache() -> Path:
    """Where everything is kept; safe to delete."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "querywarden" / "suites"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _run(command: Sequence[str | Path]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{(done.stdout + done.stderr)[-4000:]}")
    return done.stdout


def pgx() -> Path:
    """A writable copy of pgx's module: `go test` runs in it, and Go's own cache is read-only."""
    folder = cache() / PGX.replace("/", "+")
    if not folder.exists():
        module = json.loads(_run(["go", "mod", "download", "-json", PGX]))["Dir"]
        staged = folder.with_suffix(".new")
        shutil.rmtree(staged, ignore_errors=True)
        shutil.copytree(module, staged, copy_function=_copy_writable)
        for path in [staged, *staged.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
        staged.rename(folder)
    return folder


def _copy_writable(source: str, target: str) -> str:
    return shutil.copyfile(source, target)


def sdist(requirement: str) -> Path:
    """An unpacked source distribution: wheels carry no tests."""
    name, version = requirement.split("==")
    folder = cache() / f"{name}-{version}"
    if not folder.exists():
        archive = cache() / f"{name}-{version}.tar.gz"
        if not archive.exists():
            # not `:all:`, which would compile the build tools, too
            where = ["--no-deps", "--no-binary", name, "-d", str(cache()), requirement]
            _run([python(), "-m", "pip", "download", "-q", *where])
        staged = cache() / f"{name}-{version}.new"
        shutil.rmtree(staged, ignore_errors=True)
        with tarfile.open(archive) as packed:
            packed.extractall(staged, filter="data")
        if (staged / folder.name / name / "__init__.py").exists():  # not compiled, and found before the installed one
            shutil.rmtree(staged / folder.name / name)
        (staged / folder.name).rename(folder)
        staged.rmdir()
    return folder


def python() -> Path:
    """The interpreter of an environment with the suites' own versions of drivers and pytest, and nothing of ours."""
    folder = cache() / "venv"
    stamp, wanted = folder / "ready", "\n".join(CLIENTS)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        _run([sys.executable, "-m", "venv", "--clear", folder])
        _run([folder / "bin/python", "-m", "pip", "install", "-q", *CLIENTS])
        stamp.write_text(wanted, encoding="utf-8")
    return folder / "bin" / "python"
