"""Runs mutations: each in a forked process that imports the changed source and runs the tests that must notice.

The parent imports what is slow and unchanged, and keeps one PostgreSQL for all of them. It never imports `gateway`.
"""

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from tests.guards.mutation import Mutation
from tests.support import postgres

ROOT = Path(__file__).parents[2]
OPA = ROOT / "tools/bin/opa"
SLOW = ("psycopg", "sqlglot", "postgast", "hypothesis", "msgspec", "yaml", "cryptography", "asyncpg", "uvloop", "jwt")
SECONDS_MAX = 120
_WARNING = "ignore::pytest.PytestAssertRewriteWarning"
"""of plugins that the parent has imported"""
_NOT_LOADED = ("--ignore", "schema", "--ignore", "capabilities.json")


class Fate(Enum):
    """What became of a mutation."""

    KILLED = "killed"
    SURVIVED = "survived"
    BROKEN = "broken"
    """the tests did not run, or the table is out of date"""


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads a module from its changed source, whatever byte code lies about."""

    def __init__(self, name: str, path: str, mutation: Mutation) -> None:
        super().__init__(name, path)
        self._mutation = mutation

    def get_code(self, fullname: str) -> CodeType | None:
        del fullname
        source = self._mutation.applied(Path(self.path).read_text(encoding="utf-8"))
        code = compile(source, self.path, "exec", dont_inherit=True)
        return code if isinstance(code, CodeType) else None


class _Finder(importlib.abc.MetaPathFinder):
    """Finds one module before anybody else does."""

    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation
        self._name = mutation.file.removesuffix(".py").replace("/", ".")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        place = str(ROOT / self._mutation.file)
        return importlib.util.spec_from_file_location(fullname, place, loader=_Changed(fullname, place, self._mutation))


@contextlib.contextmanager
def prepared() -> Iterator[postgres.Cluster]:
    """Everything that the processes share."""
    for name in SLOW:
        importlib.import_module(name)
    if any(name.split(".")[0] == "gateway" for name in sys.modules):
        raise RuntimeError("the product is imported already: no change of it would be seen")
    with postgres.running_cluster() as cluster:
        yield cluster


def try_out(mutation: Mutation, cluster: postgres.Cluster) -> tuple[Fate, str]:
    """Run the tests of one mutation; what they printed comes along."""
    try:
        mutation.applied((ROOT / mutation.file).read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        return Fate.BROKEN, str(error)
    if mutation.file.startswith("policies/"):
        return _rego(mutation)
    with tempfile.TemporaryFile() as output:
        pid = os.fork()
        if not pid:
            _child(mutation, cluster, output.fileno())
        status = _wait(pid)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    _tidy(cluster)
    match status:
        case int(pytest.ExitCode.OK):
            return Fate.SURVIVED, printed
        case int(pytest.ExitCode.TESTS_FAILED):
            return Fate.KILLED, printed
        case _:
            return Fate.BROKEN, printed


def _child(mutation: Mutation, cluster: postgres.Cluster, output: int) -> None:
    """Never returns."""
    os.dup2(output, 1)
    os.dup2(output, 2)
    status = int(pytest.ExitCode.INTERNAL_ERROR)
    try:
        os.chdir(ROOT)
        sys.meta_path.insert(0, _Finder(mutation))
        postgres.running_cluster = lambda *_: contextlib.nullcontext(cluster)  # type: ignore[assignment]  # the shared one
        arguments = [f"tests/{test}" if test.endswith(".py") else test for test in mutation.tests]
        status = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--tb=line", "-W", _WARNING, *arguments]))
    except BaseException:  # noqa: BLE001 -- told to the parent, which calls it broken
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def _wait(pid: int) -> int:
    limit = time.monotonic() + SECONDS_MAX
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return -1


def _tidy(cluster: postgres.Cluster) -> None:
    with cluster.connect() as connection:
        connection.autocommit = True
        rows = connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")
        for (name,) in rows.fetchall():
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _rego(mutation: Mutation) -> tuple[Fate, str]:
    """The bundle's own tests on a copy of the rules."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("policies", "rego_tests"):
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=shutil.ignore_patterns("vectors", "compliance"))
        place = Path(folder) / mutation.file
        place.write_text(mutation.applied(place.read_text(encoding="utf-8")), encoding="utf-8")
        done = subprocess.run(
            [OPA, "test", "policies", "rego_tests", *_NOT_LOADED],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    printed = done.stdout + done.stderr
    if "FAIL" in printed and done.returncode == int(Exit.FAILED):
        return Fate.KILLED, printed
    return (Fate.SURVIVED if done.returncode == 0 else Fate.BROKEN), printed


class Exit(int, Enum):
    """Of `opa test`."""

    FAILED = 2
