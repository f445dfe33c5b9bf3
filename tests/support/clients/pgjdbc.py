"""pgjdbc in one long-living JVM: simple protocol, prepared statements with binary results, portals by fetch size."""

import base64
import contextlib
import subprocess
import time
from collections.abc import Iterator, Sequence

import msgspec
from psycopg.conninfo import conninfo_to_dict

from tests.support.clients.client import Client
from tests.support.drivers import command
from tests.support.recover import Transcript
from tests.support.transcripts import COPY_IN_ROW

MODES = ("simple", "prepared", "portal")
STOP_SECONDS = 20


class _Answer(msgspec.Struct):
    rows: list[list[str | None]]
    binary: list[list[str | None]]
    text: list[str]


@contextlib.contextmanager
def virtual_machine() -> Iterator[Sequence[Client]]:
    """The clients of one JVM, which ends with the context."""
    with subprocess.Popen(command("pgjdbc-cases"), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield [_client(process, mode) for mode in MODES]
        assert process.stdin is not None
        process.stdin.close()
        process.wait(STOP_SECONDS)


def _client(process: subprocess.Popen[bytes], mode: str) -> Client:
    return Client(f"pgjdbc, {mode}", lambda conninfo, statements: _ask(process, mode, conninfo, statements))


def _ask(process: subprocess.Popen[bytes], mode: str, conninfo: str, statements: Sequence[str]) -> Transcript:
    parts = {name: str(value) for name, value in conninfo_to_dict(conninfo).items()}
    url = f"jdbc:postgresql://{parts['host']}:{parts['port']}/{parts['dbname']}"
    words = [mode, url, parts["user"], parts["password"], parts["sslrootcert"], COPY_IN_ROW.decode(), *statements]
    assert process.stdin is not None
    assert process.stdout is not None
    started = time.monotonic()
    process.stdin.write(b" ".join(base64.b64encode(word.encode()) for word in words) + b"\n")
    process.stdin.flush()
    answer = msgspec.json.decode(process.stdout.readline(), type=_Answer)
    return Transcript(
        rows=answer.rows,
        binary=[[None if value is None else bytes.fromhex(value) for value in row] for row in answer.binary],
        text=answer.text,
        elapsed=time.monotonic() - started,
    )
