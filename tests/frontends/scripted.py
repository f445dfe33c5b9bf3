"""A whole conversation in memory: the real client, relay and journey between a scripted client and a model server.

No socket and no thread, so hypothesis can cut the bytes of both sides anywhere and try many orders.
"""

import asyncio
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.core.clock import SystemClock
from gateway.core.events import EventType
from gateway.core.principal import Principal
from gateway.core.site import Posture
from gateway.core.verdict import Outcome
from gateway.frontends.driver import Driver
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.conversation import Conversation
from gateway.frontends.postgres.ending import converse
from gateway.identity.verifier import Verifier
from gateway.session.ground import Ground
from gateway.session.traveller import Traveller
from gateway.upstream.pool import Pool
from gateway.upstream.postgres import Link
from gateway.upstream.stream import Stream
from gateway.upstream.target import Target
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import ClientReader
from tests.frontends.world import MemoryLog, Policy
from tests.session import fakes

_MARK = re.compile(r"^/\* querywarden:([0-9a-f-]{36}) \*/ ")
INT4 = 23


class MemoryTransport(asyncio.Transport):
    """Gives what is written to `take`; `lose` tells the stream that the connection is gone."""

    def __init__(self, stream: Stream, take: Callable[[bytes], None]) -> None:
        super().__init__()
        self.stream = stream
        self.take = take
        self.over = False
        stream.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self.over:
            self.take(bytes(data))

    def close(self) -> None:
        if not self.over:
            self.over = True
            asyncio.get_running_loop().call_soon(self.stream.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self.over

    def pause_reading(self) -> None:
        """Everything is in memory already."""

    def resume_reading(self) -> None:
        """Everything is in memory already."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits."""

    def get_extra_info(self, name: str, default: object = None) -> object:
        del name
        return default


def cut(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The bytes in pieces of the given sizes, over and over."""
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)] if sizes else len(data)
        yield data[at : at + size]
        at, turn = at + size, turn + 1


@dataclass
class Portal:
    text: str
    left: int


class ServerModel:
    """What PostgreSQL answers (PostgreSQL 18, §54.2), for a few statements. `rejects` says what it calls wrong."""

    def __init__(self, rejects: Callable[[str], bool] = lambda _: False) -> None:
        self.rejects = rejects
        self.status = b"I"
        self.skipping = False
        self.copying = ""
        self.copy_bad = False
        self.prepared: dict[str, str] = {}
        self.portals: dict[str, Portal] = {}
        self.received: list[tuple[str, str]] = []
        self.see: Callable[[str, str], None] = lambda _kind, _text: None
        self._data = b""

    def receive(self, data: bytes) -> bytes:
        """Bytes in, bytes out."""
        self._data += data
        out = []
        while len(self._data) >= 5 and len(self._data) > (length := struct.unpack_from(">I", self._data, 1)[0]):
            kind, body = self._data[:1].decode("latin-1"), self._data[5 : 1 + length]
            self._data = self._data[1 + length :]
            out.append(self._message(kind, body))
        return b"".join(out)

    def _message(self, kind: str, body: bytes) -> bytes:  # noqa: PLR0911 -- a line a message
        if self.copying:
            return self._copy(kind, body)
        if self.skipping and kind not in "SX":
            return b""
        match kind:
            case "Q":
                return self._query(body.rstrip(b"\0").decode())
            case "P":
                name, text, _ = (part.decode("latin-1") for part in body.split(b"\0", 2))
                mark = _MARK.match(text)
                return self._parse(name, text[mark.end() :] if mark else text)
            case "B":
                portal, name, _ = (part.decode("latin-1") for part in body.split(b"\0", 2))
                return self._bind(portal, name)
            case "D" | "C":
                return self._about(kind, body[:1].decode(), body[1:-1].decode())
            case "E":
                whose, rest = body.split(b"\0", 1)
                if len(rest) != 4:
                    return self._error("08P01", extended=True)
                return self._execute(whose.decode(), struct.unpack(">I", rest)[0])
            case "S":
                self.skipping = False
                return self._ready()
        return b""

    def _error(self, state: str, *, extended: bool) -> bytes:
        self.skipping = extended
        self.status = b"E" if self.status in {b"T", b"E"} else b"I"
        return server.error_response(sqlstate=state, message=f"model {state}")

    def _ready(self) -> bytes:
        if self.status == b"I":
            self.portals.clear()
        return server.ready_for_query(self.status)

    def _wrong(self, text: str) -> str:
        """SQLSTATE, empty when the statement may go on."""
        if self.rejects(text) or text == "querywarden refused":
            return "42601"
        return "25P02" if self.status == b"E" and text not in {"COMMIT", "ROLLBACK", ""} else ""

    def _query(self, text: str) -> bytes:
        mark = _MARK.match(text)
        plain = text[mark.end() :] if mark else text
        self.see("Q", text)
        self.received.append(("Q", plain))
        self.prepared.pop("", None)
        out = []
        for part in [part.strip() for part in plain.split(";")] if plain else [""]:
            state = self._wrong(part) or ("22012" if part == "SELECT 1/0" else "")
            if state:
                out.append(self._error(state, extended=False))
                break
            if part.startswith("COPY"):
                self.copying = "simple"
                return b"".join([*out, server.copy_response(b"G", 0, [0])])
            out.append(self._run(part, described=True))
        return b"".join(out) + self._ready()

    def _run(self, text: str, *, described: bool = False) -> bytes:
        match text:
            case "":
                return server.EMPTY_QUERY_RESPONSE
            case "BEGIN":
                self.status = b"T" if self.status == b"I" else self.status
            case "COMMIT" | "ROLLBACK":
                text = "ROLLBACK" if self.status == b"E" else text
                self.status = b"I"
                self.portals.clear()
            case _:
                head = self._columns() if described else b""
                return head + server.data_row([b"1"]) + server.command_complete("SELECT 1")
        return server.command_complete(text)

    @staticmethod
    def _columns() -> bytes:
        return server.row_description([server.Column(name="n", type_oid=INT4)])

    def _parse(self, name: str, text: str) -> bytes:
        self.see("P", text)
        self.received.append(("P", text))
        if not name:
            self.prepared.pop("", None)
        if state := self._wrong(text):
            return self._error(state, extended=True)
        if name in self.prepared:
            return self._error("42P05", extended=True)
        self.prepared[name] = text
        return server.PARSE_COMPLETE

    def _bind(self, portal: str, name: str) -> bytes:
        if name not in self.prepared:
            return self._error("26000", extended=True)
        if state := self._wrong(self.prepared[name]):
            return self._error(state, extended=True)
        if portal and portal in self.portals:
            return self._error("42P03", extended=True)
        self.portals[portal] = Portal(self.prepared[name], 3 if "THREE" in self.prepared[name] else 1)
        return server.BIND_COMPLETE

    def _about(self, kind: str, target: str, name: str) -> bytes:
        known = self.prepared if target == "S" else self.portals
        if kind == "C":
            known.pop(name, None)
            return server.CLOSE_COMPLETE
        if name not in known:
            return self._error("26000" if target == "S" else "34000", extended=True)
        found = known[name]
        text = found if isinstance(found, str) else found.text
        if text.startswith("SELECT") and self.status == b"E":
            return self._error("25P02", extended=True)
        head = server.parameter_description([]) if target == "S" else b""
        return head + (self._columns() if text.startswith("SELECT") else server.NO_DATA)

    def _execute(self, name: str, most: int) -> bytes:
        if name not in self.portals:
            return self._error("34000", extended=True)
        portal = self.portals[name]
        self.see("E", portal.text)
        self.received.append(("E", portal.text))
        state = self._wrong(portal.text) or ("22012" if portal.text == "SELECT 1/0" else "")
        if state:
            return self._error(state, extended=True)
        if portal.text.startswith("COPY"):
            self.copying = "extended"
            return server.copy_response(b"G", 0, [0])
        if "THREE" in portal.text:
            shown = min(most or 3, portal.left)
            portal.left -= shown
            end = server.command_complete(f"SELECT {shown}") if not most or shown < most else server.PORTAL_SUSPENDED
            return server.data_row([b"1"]) * shown + end
        return self._run(portal.text)

    def _copy(self, kind: str, body: bytes) -> bytes:
        how = self.copying
        if kind in {"S", "H"} or (kind == "d" and body != b"bad"):
            return b""
        self.copying = ""
        if kind == "c":
            return server.command_complete("COPY 1") + (self._ready() if how == "simple" else b"")
        found = self._error("57014" if kind == "f" else "22P02", extended=how == "extended")
        return found + (self._ready() if how == "simple" else b"")


class ScriptedKeeper(Keeper):
    """Stands on an empty catalog; its server is a model."""

    def __init__(self, model: ServerModel, sizes: Sequence[int], posture: Posture) -> None:
        target = Target(name="p", host="h", port=1, database="d", user="u", password=lambda: "")
        super().__init__("p", target, Pool({"p": 9}), lambda _: posture)
        self.model = model
        self.sizes = sizes
        self.posture_now = posture
        self.cancelled = 0
        self.transport: MemoryTransport | None = None

    async def ground(self) -> Ground:
        return Ground(fakes.EMPTY, self.posture_now)

    async def reload(self) -> None:
        """Nothing changes."""

    async def cancel(self, link: Link) -> None:
        del link
        self.cancelled += 1

    async def open(self, sid: str, settings: object) -> Link:
        del sid, settings
        await asyncio.sleep(0)
        stream = Stream()
        self.transport = MemoryTransport(stream, self._answer)
        return Link(self.target, stream, {})

    def _answer(self, data: bytes) -> None:
        self.say(self.model.receive(data))

    def say(self, data: bytes) -> None:
        """Let the server say something, in pieces, each at another turn of the loop."""
        transport = self.transport
        assert transport is not None
        for piece in cut(data, self.sizes):
            asyncio.get_running_loop().call_soon(self._feed, transport, piece)

    @staticmethod
    def _feed(transport: MemoryTransport, piece: bytes) -> None:
        if not transport.over:
            transport.stream.data_received(piece)


@dataclass
class Stage:
    """One conversation, and what the client saw of it."""

    keeper: ScriptedKeeper
    conversation: Conversation
    policy: Policy
    log: MemoryLog
    shown: bytearray = field(default_factory=bytearray)
    client: MemoryTransport | None = None

    def feed(self, data: bytes) -> None:
        assert self.client is not None
        if not self.client.over:
            self.client.stream.data_received(data)


class Lenient(Policy):
    """Hazards are allowed: the catalog is empty, so everything is unknown."""

    async def decide(self, request: object) -> object:  # type: ignore[override]  # widened on purpose
        text = request.statement.text_redacted.upper()  # type: ignore[attr-defined]  # a Request
        await asyncio.sleep(0)
        if "FORBIDDEN" in text:
            return fakes.verdict(Outcome.DENY)
        return fakes.verdict(rows=self.limits.rows)


def make_stage(
    model: ServerModel, sizes: Sequence[int] = (), posture: Posture | None = None, policy: Policy | None = None
) -> Stage:
    """A conversation that is about to begin."""
    clock, log = SystemClock(), MemoryLog()
    policy = policy or Lenient()
    keeper = ScriptedKeeper(model, sizes, posture or Posture())
    house = House(Driver(policy, log, clock), Verifier([], clock), {"p": keeper}, clock)
    stream = Stream()
    traveller = Traveller(
        sid="s", principal=Principal(subject="a", issuer="i", expires_at=4_000_000_000), connection="p",
        engine="postgres", version="15", database="d", labels={}, channel="postgres", client_ip="", tls=True,
        started_ns=1,
    )  # fmt: skip
    conversation = Conversation(house, keeper, traveller, stream, {})
    stage = Stage(keeper, conversation, policy, log)
    stage.client = MemoryTransport(stream, stage.shown.extend)

    def forwarded(kind: str, text: str) -> None:
        check_recorded(stage, kind, text)

    model.see = forwarded
    return stage


def check_recorded(stage: Stage, kind: str, text: str) -> None:
    """Everything the server receives has been recorded as let through, before."""
    if "querywarden refused" in text:
        return
    decided = [event for event in stage.log.events if event.type is EventType.STATEMENT_DECIDED and event.ok]
    plain = _MARK.sub("", text)
    if plain in {"", ";"}:
        return
    assert "FORBIDDEN" not in text.upper(), text
    if kind == "Q":
        mark = _MARK.match(text)
        assert mark, text
        assert mark.group(1) in {event.did for event in decided}
        return
    phase = {"P": "parse", "E": "execute"}[kind]
    received = [
        sent for sent, what in stage.keeper.model.received if sent == kind and what not in {"", "querywarden refused"}
    ]
    assert len([event for event in decided if event.data["phase"] == phase]) > len(received)


async def play(stage: Stage, pieces: Iterable[bytes]) -> bytes:
    """Send the pieces, each at another turn of the loop, and run the conversation to its end."""
    reader = ClientReader()
    reader.open()

    async def speak() -> None:
        for piece in pieces:
            stage.feed(piece)
            await asyncio.sleep(0)

    speaking = asyncio.ensure_future(speak())
    async with asyncio.timeout(10):
        await converse(stage.conversation, reader)
    await speaking
    return bytes(stage.shown)
