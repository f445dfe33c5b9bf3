"""One session's whole machine fed with hostile streams of either side, and what must hold of it whatever they say."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.core.errors import ProtocolError
from gateway.core.events import Event, EventType
from gateway.core.site import Posture
from gateway.frontends.postgres.ending import converse
from gateway.wire.postgres.frames import ClientReader, Received
from tests.chaos.streams import CARD, client_message, mutated, pieces, seeded, server_message, stream
from tests.frontends.scripted import ServerModel, Stage, make_stage
from tests.frontends.world import check_records
from tests.support.rawpg import SYNC, message

OPEN = Posture(guarded=False)
_NOT_SENT = {"", ";", "querywarden refused"}
_TURNS = 400
"""turns of the loop within which a machine whose peers have gone quiet has come to rest"""


class CountingReader(ClientReader):
    """Counts the messages that were given to the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.given = 0
        self.open()

    def receive_data(self, data: bytes) -> Iterator[Received]:
        for item in super().receive_data(data):
            self.given += 1
            yield item


class Hostile(ServerModel):
    """A server some of whose answers were mutated, or have something in front that nobody asked for."""

    def __init__(self, rng: random.Random, share: float) -> None:
        super().__init__()
        self.rng = rng
        self.share = share
        self.messages = 0
        self.kept = b""
        self.forbidden: list[bytes] = []
        self.sound = True

    def _message(self, kind: str, body: bytes) -> bytes:
        self.messages += 1
        if kind not in "QPBDCESHXcdf" or b"FORBIDDEN" in body.upper():
            self.forbidden.append(kind.encode() + body)
        answer = super()._message(kind, body)
        if self.rng.random() < self.share:
            self.sound = False
            unasked = self.rng.random() < 0.5 or not answer
            answer = server_message(self.rng) + answer if unasked else mutated(self.rng, answer)
        return self._let_go(kind, answer)

    def _let_go(self, kind: str, answer: bytes) -> bytes:
        """Answers of the extended protocol stay in the server's buffer until something makes it flush (§54.2.3)."""
        self.kept += answer
        if (kind in "PBDC" and not answer.startswith(b"E")) or (kind == "E" and answer[:1] not in {b"E", b"G"}):
            return b""
        answer, self.kept = self.kept, b""
        return answer


@dataclass(slots=True)
class Ledger:
    """What was let through, by phase, and whether everything sent is covered by it."""

    decided: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    uncovered: list[tuple[str, str]] = field(default_factory=list)

    def note(self, event: Event) -> bool:
        """Take an event that is being appended; False: the log takes it."""
        if event.type is EventType.STATEMENT_DECIDED and event.ok:
            self.ids.add(event.did)
            self.decided[str(event.data["phase"])] += 1
        return False

    def see(self, kind: str, text: str) -> None:
        """Take a statement the server has received."""
        if kind == "Q":
            mark = text.removeprefix("/* querywarden:")[:36]
            if text not in _NOT_SENT and mark not in self.ids:
                self.uncovered.append((kind, text))
            return
        if text in _NOT_SENT:
            return
        phase = {"P": "parse", "E": "execute"}[kind]
        self.sent[phase] += 1
        if self.sent[phase] > self.decided[phase]:
            self.uncovered.append((kind, text))


@dataclass(slots=True)
class Seen:
    """What one run of a machine showed."""

    given: int
    """messages of the client the machine took"""
    answered: int
    """messages of the client, or of the gateway, the server took and answered"""
    reason: str
    faults: list[str]


async def run_machine(seed: int, *, count: int = 60) -> Seen:
    """A session with a client and a server of this seed."""
    rng = seeded(seed)
    model = Hostile(rng, rng.choice((0.0, 0.0, 0.02, 0.2)))
    wrong, broken = rng.choice(((0.0, 0.0), (0.05, 0.0), (0.3, 0.0), (0.02, 0.02)))
    stage = make_stage(model, [rng.choice((1, 5, 64, 4096))], rng.choice((Posture(), OPEN)))
    ledger, reader = Ledger(), CountingReader()
    stage.log.fail = ledger.note
    model.see = ledger.see
    data = b"".join(stream(rng, client_message, count, wrong=wrong, broken=broken))
    running = asyncio.ensure_future(converse(stage.conversation, reader))
    for piece in pieces(rng, data):
        stage.feed(piece)
        if rng.random() < 0.3:
            await asyncio.sleep(0)
    faults = await _rest(stage, reader, model)
    assert stage.client is not None
    stage.client.close()
    if not model.sound and stage.keeper.transport is not None:
        stage.keeper.transport.close()  # it owes an answer: until the token expires, the session would wait for it
    try:
        async with asyncio.timeout(10):
            await running
    except TimeoutError:
        faults.append("the session does not end")
        running.cancel()
    faults += _faults(stage, ledger, model)
    closed = stage.log.of(EventType.SESSION_CLOSED)
    reason = str(closed[0].data["reason"]) if closed else "none"
    return Seen(reader.given, model.messages, reason, faults)


async def _rest(stage: Stage, reader: CountingReader, model: Hostile) -> list[str]:
    """Both sides fall silent: a sound server has been heard out, and the client has its ReadyForQuery or its end."""
    conversation = stage.conversation
    for _ in range(2):
        stage.feed(message("f", b"enough\0") + SYNC)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
            if conversation.ended.done():
                return []
    if not model.sound or _incomplete(reader):
        return []  # it waits for the one who left something out
    return [] if stage.shown[-6:-1] == b"Z\0\0\0\5" else [f"no end of the answer: {bytes(stage.shown[-60:])!r}"]


def _incomplete(reader: CountingReader) -> bool:
    try:
        list(reader.receive_data(b""))
    except ProtocolError:
        return False
    return bool(reader.rest())


def _faults(stage: Stage, ledger: Ledger, model: Hostile) -> list[str]:
    found = [f"the server got {item!r} without a decision" for item in ledger.uncovered]
    found += [f"the server got {item!r}" for item in model.forbidden]
    if [event for event in stage.log.events if event.data.get("reason") == "session.failed"]:
        found.append("a task of the session failed")
    if model.sound and stage.conversation.guarded and CARD in stage.shown:
        found.append("a card number was shown")
    try:
        check_records(stage.log.events)
    except AssertionError as error:
        if "session without its end" not in str(error) or not stage.log.of(EventType.SESSION_CLOSED):
            found.append(str(error))
    return found
