"""Where the tour is played: a running gateway, three agents with tokens, and the two ways to speak to it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from threading import Thread

import msgspec
import psycopg

HOST = "127.0.0.1"
CONNECTION = "payments"
CONNECT_SECONDS = 10
COMMAND_SECONDS = 60


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent got: rows or an error, and the notices on the way."""

    names: list[str] = []
    rows: list[tuple[object, ...]] = []
    notices: list[str] = []
    sqlstate: str = ""
    """of the error; empty when there was none"""
    error: str = ""
    """message, DETAIL and HINT, a line each"""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A running gateway, as its users see it."""

    folder: Path
    port: int
    agents: tuple[str, ...]

    @property
    def config(self) -> Path:
        """The gateway's configuration."""
        return self.folder / "gateway.yaml"

    @property
    def authority(self) -> Path:
        """The certificate that clients trust."""
        return self.folder / "tls" / "ca.pem"

    def token_file(self, agent: str) -> Path:
        """Where an agent's token lies."""
        return self.folder / "tokens" / agent

    def ask(self, agent: str, *statements: str) -> Answer:
        """Send statements on one connection of an agent; the answer is the last one's."""
        return self.ask_with(self.token_file(agent).read_text(encoding="ascii").strip(), *statements)

    def ask_with(self, token: str, *statements: str) -> Answer:
        """Send statements on a fresh connection; an error of one does not end the connection."""
        try:
            connection = self.connect(token)
        except psycopg.OperationalError as error:
            return Answer(sqlstate=error.sqlstate or "08006", error=without_address(str(error)))
        answer = Answer()
        with connection:
            notices: list[str] = []
            connection.add_notice_handler(lambda said: notices.append(said.message_primary or ""))
            for statement in statements:
                notices.clear()
                answer = run(connection, statement)
            return msgspec.structs.replace(answer, notices=list(notices))

    def connect(self, token: str) -> psycopg.Connection:
        """A connection of whoever holds the token. Raises psycopg.OperationalError."""
        return psycopg.connect(
            host=HOST, port=self.port, dbname=CONNECTION, user="agent", password=token, sslmode="verify-full",
            sslrootcert=str(self.authority), connect_timeout=CONNECT_SECONDS, autocommit=True,
        )  # fmt: skip

    def begin(self, agent: str, statement: str) -> "Running":
        """Send a statement that takes long, and do not wait for its end."""
        return Running(self.connect(self.token_file(agent).read_text(encoding="ascii").strip()), statement)

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run one of our own commands as a person would: its exit code, and what it printed."""
        result = subprocess.run(
            [sys.executable, "-m", "gateway", *arguments],
            capture_output=True, text=True, check=False, cwd=self.folder, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        return result.returncode, result.stdout + result.stderr

    def commands(self, lines: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
        """The same for several that belong together, in one process."""
        result = subprocess.run(
            [sys.executable, "-m", "gateway.cli.demo.batch"],
            input=msgspec.json.encode(lines), capture_output=True, check=False, cwd=self.folder,
            timeout=COMMAND_SECONDS,
        )  # fmt: skip
        try:
            return msgspec.json.decode(result.stdout, type=list[tuple[int, str]])
        except msgspec.DecodeError:
            said = result.stderr.decode("utf-8", "replace")
            return [(result.returncode, said) for _ in lines]


class Running:
    """A statement the database is still working on."""

    def __init__(self, connection: psycopg.Connection, statement: str) -> None:
        self._connection = connection
        self._answers: list[Answer] = []
        self._thread = Thread(target=self._send, args=(statement,), daemon=True)
        self._thread.start()

    def _send(self, statement: str) -> None:
        self._answers.append(run(self._connection, statement))

    def cancel(self) -> Answer:
        """Ask the server to give it up, as Ctrl-C in psql does; what came back. Closes the connection."""
        self._connection.cancel_safe(timeout=CONNECT_SECONDS)
        self._thread.join(CONNECT_SECONDS)
        ended = not self._thread.is_alive()
        self._connection.close()
        return self._answers[0] if ended else Answer(sqlstate="08006", error="it does not end")


def run(connection: psycopg.Connection, statement: str) -> Answer:
    """One statement in the simple protocol's manner: no parameters."""
    try:
        cursor = connection.execute(statement.encode())
        names = [column.name for column in cursor.description or ()]
        return Answer(names=names, rows=cursor.fetchall() if names else [])
    except psycopg.Error as error:
        said = error.diag
        lines = [f"{said.severity}: {said.message_primary}"]
        lines += [
            f"{name}: {text}" for name, text in (("DETAIL", said.message_detail), ("HINT", said.message_hint)) if text
        ]
        return Answer(sqlstate=error.sqlstate or "08006", error="\n".join(lines))


def without_address(text: str) -> str:
    """What the server said to a login, without the library's own sentence about addresses before it."""
    said = text.strip()
    return said[said.index("FATAL") :] if "FATAL" in said else said
