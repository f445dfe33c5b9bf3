"""A recorded session as the gateway would have written it: what each side said, in a data folder with its log."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.core.events import Event, EventType
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.frames import Note, Piece, What, decode_note, encode_note
from gateway.evidence.recording.keys import load_recipient
from gateway.evidence.recording.store import Recordings
from gateway.evidence.recording.tape import Tape
from gateway.wire.postgres import client_messages as client
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.server_messages import Column
from tests.evidence.world import TickClock, decided, finished, opened
from tests.support.recorded import Keys, make_keys

HOSTILE = "\x1b[2Jgone\u202e\u0007"
COLUMNS = (Column(name="id", type_oid=23), Column(name="na\x1bme", type_oid=25))
WELCOME = server.AUTHENTICATION_OK + server.parameter_status("a", "b") + server.ready_for_query(b"I")
ROWS = [server.data_row([b"1", HOSTILE.encode()]), server.data_row([b"2", None])]
ANSWER = (
    server.row_description(COLUMNS), *ROWS, server.command_complete("SELECT 2"), server.ready_for_query(b"I"),
)  # fmt: skip
BINARY_ROW = server.data_row([(7).to_bytes(4, "big"), b"seven"])


@dataclass(frozen=True, slots=True)
class Recorded:
    """A folder with one session, over."""

    folder: Path
    sid: str
    keys: Keys
    dids: tuple[str, ...]

    def arguments(self, *more: str) -> list[str]:
        """Of a command about the session."""
        return ["audit", *more[:1], self.sid, "--data", str(self.folder), *more[1:]]

    def replay(self, *more: str) -> list[str]:
        """Of `audit replay` with the key."""
        return self.arguments("replay", "--key", str(self.keys.private), *more)


def note(  # noqa: PLR0913 -- the facts a note has
    number: int, did: str, *, act: str = "", outcome: str = "", code: str = "", rows: int = 0
) -> Piece:
    said = Note(
        is_="outcome" if outcome else "statement", did=did, act=act, phase="query" if act else "", outcome=outcome,
        code=code, rows=rows,
    )  # fmt: skip
    return Piece(What.NOTE, number, number, encode_note(said))


def sent(number: int, *raw: bytes) -> Piece:
    return Piece(What.SENT, number, number, b"".join(raw))


def received(number: int, *raw: bytes) -> Piece:
    return Piece(What.RECEIVED, number, number, b"".join(raw))


def session(dids: Sequence[str]) -> Iterator[Piece]:
    """A query, an extended query, a COPY, a refusal."""
    one, two, three, four = dids
    yield received(0, WELCOME)
    yield note(1, one, act="select")
    yield sent(1, client.query(f"SELECT id\nFROM t -- {HOSTILE}"))
    yield received(1, *ANSWER)
    yield note(1, one, outcome="done", rows=2)
    yield note(2, two, act="select")
    yield sent(2, client.parse_message("", "SELECT $1::int, $2"))
    yield sent(0, client.bind("", "", [b"7", None], [], [1]), client.describe(b"P", ""))
    yield sent(2, client.execute(""), client.SYNC)
    yield received(2, server.PARSE_COMPLETE, server.BIND_COMPLETE, server.row_description(COLUMNS))
    yield received(2, BINARY_ROW, server.command_complete("SELECT 1"))
    yield received(0, server.ready_for_query(b"I"))
    yield note(2, two, outcome="done", rows=1)
    yield note(3, three, act="copy_in")
    yield sent(3, client.query("COPY t FROM STDIN"))
    yield received(3, server.copy_response(b"G", 0, [0]))
    yield sent(0, client.copy_data(b"3\tthree\n"), client.COPY_DONE)
    yield received(3, server.command_complete("COPY 1"), server.ready_for_query(b"I"))
    yield note(3, three, outcome="done")
    yield note(4, four, act="drop")
    yield sent(4, client.query("DROP TABLE t"))
    yield received(4, server.error_response(sqlstate="42501", message="no", detail=f"code x; {HOSTILE}", hint="ask"))
    yield received(0, server.ready_for_query(b"I"))
    yield note(4, four, outcome="deny", code="command.blocked")
    yield sent(0, client.TERMINATE)


def put(tape: Tape, piece: Piece, dids: Sequence[str]) -> None:
    """As the gateway would."""
    did = dids[piece.statement - 1] if piece.statement else ""
    match piece.what:
        case What.SENT:
            tape.sent(piece.t_ns, piece.data, did)
        case What.RECEIVED:
            tape.received(piece.t_ns, piece.data, did)
        case What.NOTE:
            said = decode_note(piece.data)
            if said.is_ == "statement":
                tape.begins(piece.t_ns, did, said.act, said.phase)
            else:
                tape.ends(piece.t_ns, did, said.outcome, said.code, said.rows)


async def _write(folder: Path, keys: Keys) -> tuple[str, tuple[str, ...]]:
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    store = Recordings(folder, (load_recipient(keys.public),), recorder, clock)
    sid, dids = new_id(clock), tuple(new_id(clock) for _ in range(4))
    await recorder.append(opened(sid))
    recording = store.begin(sid, "payments", "postgres")
    for did in dids:
        await recorder.append(decided(did, sid))
        await recorder.append(finished(did, sid))
    for piece in session(dids):
        put(recording.tape, piece, dids)
    data: dict[str, object] = {"reason": "client", "recording": await recording.close()}
    await recorder.append(Event(type=EventType.SESSION_CLOSED, sid=sid, res="payments", data=data))
    await store.close()
    await recorder.close()
    return sid, dids


def write(folder: Path) -> Recorded:
    """A data folder below `folder`, and the keys beside it."""
    keys = make_keys(folder)
    sid, dids = asyncio.run(_write(folder / "var", keys))
    return Recorded(folder / "var", sid, keys, dids)
