"""Asks witnesses to cosign the log's checkpoints, beside the traffic and never in its way.

Every interval each witness that is not busy is given the newest checkpoint; those in between are passed over. Good
cosignatures are kept beside the log (`cosigned`) and recorded once a day. Trouble is told once when it begins and once
when it ends: to the operator, and as a leaf. Who is in trouble is asked less often, up to every five minutes.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.cosign import Cosignature, WitnessKey, own_note, with_lines
from gateway.evidence.cosigned import keep_cosigned, last_cosigned
from gateway.evidence.note import NoteError, split_note
from gateway.evidence.reader import LogReader
from gateway.evidence.witness import MEANING, Answer, Asked, Behind, Trouble, Why, request, understand

SLOWEST_SECONDS: Final = 300.0
RECORD_SECONDS: Final = 86_400
"""that a witness cosigns is recorded this often, so that every period has it"""
_NS: Final = 1_000_000_000
_TRIES: Final = 2
"""the second one after the witness has said how far it is"""

Post = Callable[[bytes], Awaitable[Answer | Trouble]]
"""sends a body to one witness's `add-checkpoint`; what goes wrong on the way is Trouble"""
Endorse = Callable[[str, list[str]], Awaitable[bool]]
"""adds signature lines to the checkpoint of that text, while it is the latest"""


@dataclass(eq=False)
class Witness:
    """One witness, and what is known of it."""

    key: WitnessKey
    post: Post
    size: int = 0
    """leaves of the last tree it cosigned, as far as we know"""
    cosigned_s: int = 0
    """when, in seconds since 1970; 0 for never"""
    told: Why | None = None
    """the trouble that was recorded and is not over"""
    recorded_s: int = 0
    """when it was recorded last that it cosigns; 0 for never"""
    failures: int = 0
    """in a row"""
    rests_until: int = 0
    """on the monotonic clock, in nanoseconds"""
    answers: Counter[str] = field(default_factory=Counter)


class Watched(NamedTuple):
    """The log whose checkpoints are cosigned."""

    data_dir: Path
    epoch: int
    endorse: Endorse


class _Round(NamedTuple):
    """One checkpoint, as the witnesses of one moment are asked about it."""

    reader: LogReader
    note: bytes
    text: str


class Witnessing:
    """The client of some witnesses."""

    def __init__(
        self,
        watched: Watched,
        witnesses: Sequence[Witness],
        note: Callable[[Event], Awaitable[None]],
        clock: Clock,
        interval: float,
    ) -> None:
        """`interval` is in seconds; `note` records an event and raises Unavailable when it cannot."""
        self.witnesses = witnesses
        self._watched = watched
        self._note = note
        self._clock = clock
        self._interval = interval
        self.busy: dict[Witness, asyncio.Task[None]] = {}
        """who is being asked now"""

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.to_thread(self.remember)
        try:
            while True:
                await self.begin_round()
                await asyncio.sleep(self._interval)
        finally:
            for task in self.busy.values():
                task.cancel()
            await asyncio.gather(*self.busy.values(), return_exceptions=True)

    async def begin_round(self) -> None:
        """Give the newest checkpoint to every witness that neither is busy nor rests."""
        now = self._clock.monotonic_ns()
        free = [each for each in self.witnesses if each not in self.busy and each.rests_until <= now]
        round_ = await asyncio.to_thread(self._newest) if free else None
        if round_ is None:
            return
        for witness in free:
            self.busy[witness] = asyncio.get_running_loop().create_task(self._ask(witness, round_))

    async def settle(self) -> None:
        """Wait until nobody is busy."""
        while self.busy:
            await asyncio.gather(*self.busy.values(), return_exceptions=True)
            await asyncio.sleep(0)

    def ages(self) -> dict[str, float]:
        """Seconds since each witness's last cosignature, for those that have given one."""
        now = self._clock.now_ns() / _NS
        return {each.key.name: max(0.0, now - each.cosigned_s) for each in self.witnesses if each.cosigned_s}

    def sizes(self) -> dict[str, int]:
        """Leaves under each witness's last cosignature."""
        return {each.key.name: each.size if each.cosigned_s else 0 for each in self.witnesses}

    def answers(self) -> Counter[str]:
        """How often witnesses cosigned, and did not, by reason."""
        return sum((each.answers for each in self.witnesses), Counter[str]())

    def remember(self) -> None:
        """What was cosigned before this start."""
        reader = self._reader()
        for witness in self.witnesses:
            try:
                found = last_cosigned(reader.prefix, reader.verifier, witness.key)
            except OSError:
                continue
            if found is not None:
                witness.size, witness.cosigned_s = found.checkpoint.size, found.by[0].at

    def _reader(self) -> LogReader:
        return LogReader(self._watched.data_dir, self._watched.epoch)

    def _newest(self) -> _Round | None:
        """The checkpoint as it is now; None when there is none."""
        reader = self._reader()
        try:
            note = own_note(reader.note, reader.verifier)
            return _Round(reader, note, split_note(note)[0]) if reader.checkpoint.size else None
        except (OSError, NoteError):
            return None

    async def _ask(self, witness: Witness, round_: _Round) -> None:
        try:
            await self._asked(witness, round_)
        finally:
            del self.busy[witness]

    async def _asked(self, witness: Witness, round_: _Round) -> None:
        """Ask one witness, keep what it gives, tell what went wrong."""
        size = round_.reader.checkpoint.size
        result = await self._exchange(witness, round_)
        if isinstance(result, Trouble):
            await self._in_trouble(witness, result, size)
            return
        note = with_lines(round_.note, [result.line])
        try:
            await asyncio.to_thread(keep_cosigned, round_.reader.prefix, witness.key, note)
            await self._watched.endorse(round_.text, [result.line])
        except OSError as error:
            await self._in_trouble(witness, Trouble(Why.LOCAL, type(error).__name__), size)
            return
        witness.size, witness.cosigned_s = size, result.at
        await self._fine(witness, size)

    async def _exchange(self, witness: Witness, round_: _Round) -> Cosignature | Trouble:
        """One question, or two when the witness is not as far as we thought."""
        checkpoint = round_.reader.checkpoint
        old = min(witness.size, checkpoint.size)
        for _ in range(_TRIES):
            try:
                body = await asyncio.to_thread(request, old, round_.reader.node(), checkpoint, round_.note)
            except (OSError, ValueError) as error:
                return Trouble(Why.LOCAL, f"no proof: {type(error).__name__}")
            answer = await witness.post(body)
            if isinstance(answer, Trouble):
                return answer
            asked = Asked(old, checkpoint, round_.text)
            found = understand(answer, asked, witness.key, self._clock.now_ns() // _NS)
            if not isinstance(found, Behind):
                return found
            old = found.size
        return Trouble(Why.ANSWER, "409 twice")

    async def _fine(self, witness: Witness, size: int) -> None:
        witness.answers["cosigned"] += 1
        witness.failures = 0
        if witness.told is None and witness.cosigned_s < witness.recorded_s + RECORD_SECONDS:
            return
        data: dict[str, object] = {"witness": witness.key.name, "size": size, "at": str(witness.cosigned_s * _NS)}
        if witness.told is not None:
            data["after"] = witness.told.value
        if await self._noted(Event(type=EventType.WITNESS_COSIGNED, data=data)):
            witness.told, witness.recorded_s = None, witness.cosigned_s

    async def _in_trouble(self, witness: Witness, trouble: Trouble, size: int) -> None:
        witness.answers[trouble.why.value] += 1
        witness.failures += 1
        rest = min(SLOWEST_SECONDS, self._interval * 2 ** min(witness.failures - 1, 16))
        witness.rests_until = self._clock.monotonic_ns() + int((rest - self._interval / 2) * _NS)
        if witness.told is trouble.why:
            return
        data: dict[str, object] = {
            "witness": witness.key.name,
            "why": trouble.why.value,
            "meaning": MEANING[trouble.why],
            "detail": trouble.detail,
            "size": size,
        }
        kind = EventType.WITNESS_REFUSED if trouble.refused else EventType.WITNESS_FAILED
        if await self._noted(Event(type=kind, ok=False, data=data)):
            witness.told = trouble.why

    async def _noted(self, event: Event) -> bool:
        """Whether it is recorded; what cannot be is tried again at the next round."""
        try:
            await self._note(event)
        except Unavailable:
            return False
        return True
