"""`querywarden audit reconcile`: the database's own log beside ours, and what went round the gateway."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, data_folder, reading
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.reconcile_files import Form, read_logs
from gateway.cli.audit.reconcile_text import told
from gateway.cli.audit.words import instant
from gateway.cli.doctor import database, governed, role
from gateway.config.load import load
from gateway.config.quantities import Duration
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.reader import open_epochs
from gateway.evidence.reconcile import Question, Reconciliation
from gateway.evidence.reconcile import reconcile as compare
from gateway.evidence.reconcile_ours import Ours, ours_of, own_hash
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View
from gateway.frontends.keeper import STATEMENTS
from gateway.frontends.postgres.inside import ASK, UNDO
from gateway.sql.canonical import canonical

EARLIER_NS: Final = 24 * 3600 * 1_000_000_000
"""how long before the time that is asked for a session may have begun"""
OWN: Final = frozenset(
    own_hash(canonical(text))
    for text in (*STATEMENTS, ASK, UNDO, role.POWERS, database.NOW, governed.question([(1, 1)]))
)
FormatOption: TypeAlias = Annotated[Literal["json", "csv", "stderr"] | None, Parameter(name="--format")]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The options that say what is compared."""

    since: Annotated[str, Parameter(name="--from")] = ""
    """A time like 2026-11-25T01:40 (UTC), or an age like 15m. Default: all that both logs have."""
    until: Annotated[str, Parameter(name="--to")] = ""
    """The same."""
    database: str = ""
    """The database's name on the server. Default: that of the connection."""
    known_user: Annotated[tuple[str, ...], Parameter(name="--known-user", negative="")] = ()
    """A user of the database who may come another way (backups, monitoring): named, but no reason to say no."""
    tolerance: str = "60s"
    """How far a line may be from its decision, besides the difference of the clocks."""


@dataclass(frozen=True, kw_only=True)
class ServerLog:
    """The options that say where the server's log is, and how it is written."""

    log: Annotated[tuple[Path, ...], Parameter(name="--log", negative="", consume_multiple=True)]
    """The server's log files, several and compressed ones too; `-` is standard input."""
    form: FormatOption = None
    """How they are written. Default: each file is looked at."""
    prefix: str = ""
    """The server's log_line_prefix, for stderr."""
    timezone: str = ""
    """The server's log_timezone, when its times bear an abbreviation that is not clear."""


EVERYTHING: Final = Compared()
OutOption: TypeAlias = Annotated[
    Path | None,
    Parameter(name=["--out", "-o"], help="Write the answer as JSON into this file as well, for an evidence package."),
]


def reconcile(  # noqa: PLR0913, D417 -- options that say themselves what they are
    *,
    server: Annotated[ServerLog, Parameter(name="*")],
    connection: str,
    compared: Annotated[Compared, Parameter(name="*", show_default=False)] = EVERYTHING,
    config: ConfigOption = None,
    data: DataOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    person: AsOption = "",
) -> int:
    """Compare a PostgreSQL server's log with ours. Exits 1 when something went round, or that cannot be said.

    Parameters
    ----------
    server
        The server's log.
    connection
        The connection's name.
    compared
        What is compared.
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    as_json
        Print the answer as JSON.

    """
    folder = data_folder(config, data)
    database = compared.database or _database(config, data, connection)
    answer = _compared(server, connection, compared, folder, database)
    detail = {"connection": connection, "log": tuple(map(str, server.log)), "from": compared.since}
    detail["to"] = compared.until
    note_access(folder, "reconcile", detail, results=len(answer.findings), person=person)
    return _give(answer, out, as_json=as_json)


def _compared(server: ServerLog, connection: str, compared: Compared, folder: Path, database: str) -> Reconciliation:
    """Read both logs. Raises ConfigError, OSError, Unreadable."""
    if not server.log:
        raise ConfigError("config.invalid", "which log? Give --log FILE")
    clock = SystemClock()
    now = clock.now_ns()
    since = instant(compared.since, now, "--from") if compared.since else 0
    until = instant(compared.until, now, "--to") if compared.until else 1 << 63
    with reading():
        ours = read_ours(folder, connection, since, until)
    name = database or ours.database
    if not name:
        raise ConfigError("config.invalid", f"{connection}: our log does not name its database; give --database")
    files = Form(server.form or "", server.prefix, server.timezone, name)
    question = Question(
        database=name, shapes=lru_cache(4096)(canonical), own=OWN, known_users=frozenset(compared.known_user),
        since_ns=since, until_ns=until, slack_ns=_tolerance(compared.tolerance), carries_names=files.carries_names,
    )  # fmt: skip
    bar = Bar(sys.stderr, clock, "bytes of the server's log")
    try:
        return compare(read_logs(server.log, files, bar), ours, question)
    finally:
        bar.clear()


def _give(answer: Reconciliation, out: Path | None, *, as_json: bool) -> int:
    document = msgspec.json.format(msgspec.json.encode(answer), indent=2)
    if out is not None:
        out.write_bytes(document + b"\n")
    sys.stdout.write(document.decode() + "\n" if as_json else told(answer))
    return FINE if answer.ok else SAYS_NO


def _tolerance(text: str) -> int:
    try:
        return Duration.parse(text).ns
    except ValueError as error:
        raise ConfigError("config.invalid", f"--tolerance: {error}") from None


def _database(config: Path | None, data: Path | None, connection: str) -> str:
    if data is not None:
        return ""
    found = load(config or Path("gateway.yaml")).connections.get(connection)
    if found is None:
        raise ConfigError("config.invalid", f"{connection}: there is no such connection")
    return found.database


def read_ours(folder: Path, connection: str, since_ns: int, until_ns: int) -> Ours:
    """What our log says of a connection in a time, and for a day before it. Raises OSError, ValueError."""
    readers = open_epochs(folder)
    if not readers:
        raise FileNotFoundError(2, "no log here", str(folder / "log"))

    def leaves() -> Iterator[bytes]:
        for reader in readers:
            view = View(reader)
            first = view.reader.begin
            if not first and view.blocks:
                first = view.block_before(max(since_ns - EARLIER_NS, 0)) * WIDTH
            for _, leaf in view.upwards(first):
                yield leaf

    def body(digest: str) -> bytes | None:
        return next((found for reader in readers if (found := reader.body(digest)) is not None), None)

    return ours_of(leaves(), connection, body, until_ns=until_ns)
