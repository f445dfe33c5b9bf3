"""Replays sessions captured from real tools: each statement as it was sent, every error written down."""

from collections.abc import Sequence
from functools import cache

import msgspec
import yaml

from tests.support import rawpg
from tests.support.cases import SHARED
from tests.support.rawpg import Message, RawClient

PATH = SHARED / "benign.yaml"
_COPY_DONE = rawpg.message("c")


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session: `params` is parallel to `sql`, None for the simple protocol, a list for the extended one."""

    id: str
    dialect: str
    source: str
    kind: str
    sql: tuple[str, ...]
    setup: tuple[str, ...] = ()
    params: tuple[tuple[str | None, ...] | None, ...] = ()

    def statements(self) -> list[tuple[str, tuple[str | None, ...] | None]]:
        """Each text with its parameters."""
        return list(zip(self.sql, self.params or (None,) * len(self.sql), strict=True))


@cache
def postgres_sessions() -> Sequence[Session]:
    """The captured PostgreSQL sessions; none where the file is absent."""
    if not PATH.exists():
        return ()
    document = yaml.load(PATH.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    sessions = msgspec.convert(document["cases"], tuple[Session, ...])
    return tuple(session for session in sessions if session.dialect == "postgres")


def replay(client: RawClient, session: Session) -> list[str]:
    """Run a session to its end; returns every error as `number SQLSTATE message: text`."""
    failures: list[str] = []
    for number, (text, parameters) in enumerate(session.statements()):
        try:
            found = rawpg.error(run(client, text, parameters))
        except rawpg.ConnectionEndedError as ended:
            return [*failures, f"{number} the session ended ({ended}): {text[:200]}"]
        if found:
            failures.append(f"{number} {found.get('C')} {found.get('M')} {found.get('D', '')}: {text[:200]}")
    return failures


def run(client: RawClient, text: str, parameters: Sequence[str | None] | None) -> list[Message]:
    """One statement and everything the server answers; COPY FROM STDIN gets no rows."""
    if parameters is None:
        client.send(rawpg.query(text))
        end = _COPY_DONE
    else:
        client.send(rawpg.extended(text, [None if value is None else value.encode() for value in parameters]))
        end = _COPY_DONE + rawpg.SYNC  # the server has ignored the first Sync while it waited for data
    seen = client.read_to("Z", "G", "W")
    while seen[-1].kind != "Z":
        client.send(end)
        seen += client.read_to("Z", "G", "W")
    return seen
