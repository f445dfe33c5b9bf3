"""Witnesses are asked beside the traffic: what they give is kept, what goes wrong is said once; nothing waits."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.cosign import open_cosigned
from gateway.evidence.cosigned import cosigned_file, last_cosigned
from gateway.evidence.note import open_checkpoint
from gateway.evidence.recorder import Recorder
from gateway.evidence.witness import Answer, Trouble, Why
from gateway.evidence.witnessing import Watched, Witness, Witnessing
from tests.evidence.witnesses import CosigningKey, StrictWitness
from tests.evidence.world import TickClock, one_session

SIGNER = CosigningKey()


class Scene:
    """A log that is written, a strict witness, and its client."""

    def __init__(self, folder: Path, recorder: Recorder, clock: TickClock) -> None:
        self.folder, self.recorder, self.clock = folder, recorder, clock
        self.prefix = folder / "log/1"
        self.strict = StrictWitness(SIGNER, recorder.verifier, clock.now // 10**9)
        self.events: list[Event] = []
        self.instead: Callable[[bytes], Answer | Trouble] | None = None
        self.full = False
        self.client = self.again()

    def again(self) -> Witnessing:
        """A client that knows only what is on disk."""
        self.witness = Witness(SIGNER.key, self.post)
        watched = Watched(self.folder, self.recorder.epoch, self.recorder.endorse)
        self.client = Witnessing(watched, [self.witness], self.note, self.clock, 10.0)
        return self.client

    async def post(self, body: bytes) -> Answer | Trouble:
        await asyncio.sleep(0)
        return self.instead(body) if self.instead else Answer(*self.strict.answer(body))

    async def note(self, event: Event) -> None:
        if self.full:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)
        await self.recorder.append(event)

    async def grow(self, statements: int = 3) -> None:
        await one_session(self.recorder, self.clock, statements)
        await self.recorder.checkpoint()

    async def ask(self) -> None:
        self.strict.at = self.clock.now // 10**9
        await self.client.begin_round()
        await self.client.settle()

    def said(self) -> list[tuple[EventType, object]]:
        return [(event.type, event.data.get("why", event.data.get("after"))) for event in self.events]


@asynccontextmanager
async def scene(folder: Path) -> AsyncIterator[Scene]:
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    try:
        made = Scene(folder, recorder, clock)
        await made.grow()
        yield made
    finally:
        await recorder.close()


async def test_each_checkpoint_is_cosigned_with_a_proof_from_the_one_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        sizes = []
        for statements in (1, 200, 90, 2):
            await made.ask()
            sizes.append(made.strict.seen.size)
            await made.grow(statements)
        assert sizes == sorted(set(sizes))
        assert made.client.answers() == {"cosigned": 4}
        assert [len(body.split(b"\n\n")[0].split(b"\n")) > 1 for body in made.strict.asked] == [False, True, True, True]
        found = last_cosigned(made.prefix, made.recorder.verifier, SIGNER.key)
        assert found is not None
        assert found.checkpoint == made.strict.seen
        assert made.said() == [(EventType.WITNESS_COSIGNED, None)]


async def test_the_checkpoint_carries_the_cosignature_while_it_is_the_latest(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        await made.ask()
        note = (made.prefix / "checkpoint").read_bytes()
        assert [each.witness for each in open_cosigned(note, made.recorder.verifier, [SIGNER.key]).by] == [
            SIGNER.key.name
        ]
        await made.grow()
        note = (made.prefix / "checkpoint").read_bytes()
        assert open_cosigned(note, made.recorder.verifier, [SIGNER.key]).by == ()
        await made.ask()
        assert b"witness.example" not in made.strict.asked[-1]


async def test_after_a_restart_it_goes_on_from_what_the_witness_saw_last(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        await made.ask()
        seen = made.strict.seen.size
        client = made.again()
        client.remember()
        assert client.sizes() == {SIGNER.key.name: seen}
        assert 0 <= client.ages()[SIGNER.key.name] < 60
        await made.grow()
        await made.ask()
        assert made.strict.asked[-1].startswith(f"old {seen}\n".encode())
        assert len(made.strict.asked) == 2


async def test_what_was_forgotten_the_witness_says_itself(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        await made.ask()
        seen = made.strict.seen.size
        cosigned_file(made.prefix, SIGNER.key).unlink()
        made.again().remember()
        await made.grow()
        await made.ask()
        assert [body.split(b"\n")[0] for body in made.strict.asked[1:]] == [b"old 0", b"old %d" % seen]
        assert made.client.answers() == {"cosigned": 1}


async def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        await made.ask()
        cosigned_file(made.prefix, SIGNER.key).write_bytes(b"\xff")
        made.again().remember()
        assert made.client.ages() == {}


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (Trouble(Why.UNREACHABLE, "ClientConnectorError"), EventType.WITNESS_FAILED, "unreachable"),
        (Trouble(Why.TIMEOUT), EventType.WITNESS_FAILED, "timeout"),
        (Answer(503, b""), EventType.WITNESS_FAILED, "status"),
        (Answer(200, b"yes\n"), EventType.WITNESS_FAILED, "signature"),
        (Answer(404, b""), EventType.WITNESS_REFUSED, "unknown_log"),
        (Answer(403, b""), EventType.WITNESS_REFUSED, "unknown_key"),
        (Answer(422, b""), EventType.WITNESS_REFUSED, "other_history"),
        (Answer(409, b"1000000\n"), EventType.WITNESS_REFUSED, "ahead"),
        (Answer(409, b"2\n"), EventType.WITNESS_REFUSED, "other_history"),
    ],
)
async def test_trouble_is_recorded_when_it_begins_and_when_it_ends(
    tmp_path: Path, answer: Answer | Trouble, kind: EventType, why: str
) -> None:
    async with scene(tmp_path) as made:
        made.instead = lambda _: answer
        for _ in range(3):
            await made.ask()
            made.clock.forward(1000)
        assert made.said() == [(kind, why)]
        made.instead = None
        await made.ask()
        assert made.said()[1:] == [(EventType.WITNESS_COSIGNED, why)]
        assert sum(made.client.answers().values()) == 4


async def test_a_witness_that_names_a_new_size_each_time_is_asked_twice_and_left(tmp_path: Path) -> None:
    sizes = iter(range(1, 9))
    async with scene(tmp_path) as made:
        made.instead = lambda _: Answer(409, f"{next(sizes)}\n".encode())
        await made.ask()
        assert next(sizes) == 3
        assert made.said() == [(EventType.WITNESS_FAILED, "answer")]


async def test_who_is_in_trouble_is_asked_less_and_less_but_never_given_up(tmp_path: Path) -> None:
    asked: list[int] = []

    def refuse(_: bytes) -> Trouble:
        asked.append(made.clock.now)
        return Trouble(Why.UNREACHABLE)

    async with scene(tmp_path) as made:
        made.instead = refuse
        for _ in range(400):
            await made.ask()
            made.clock.forward(10)
        gaps = [round((after - before) / 1e9) for before, after in pairwise(asked)]
        assert gaps[:3] == [10, 20, 40]
        assert max(gaps) <= 310
        assert len(asked) > 12


async def test_that_it_cosigns_is_recorded_once_a_day(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        for _ in range(30):
            await made.grow(1)
            await made.ask()
            made.clock.forward(3600)
        assert made.said() == [(EventType.WITNESS_COSIGNED, None)] * 2
        first, second = (int(str(event.data["at"])) for event in made.events)
        assert 24 <= (second - first) / 3.6e12 < 25


async def test_a_witness_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        second = CosigningKey("witness.example/w2", seed=b"2" * 32)
        strict = StrictWitness(second, made.recorder.verifier, made.clock.now // 10**9)

        async def hang(_: bytes) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

        async def answer(body: bytes) -> Answer:
            return Answer(*strict.answer(body))

        watched = Watched(made.folder, 1, made.recorder.endorse)
        witnesses = [Witness(SIGNER.key, hang), Witness(second.key, answer)]
        client = Witnessing(watched, witnesses, made.note, made.clock, 0.001)
        running = asyncio.ensure_future(client.run())
        while client.answers()["cosigned"] < 3:
            await made.grow(1)
            await asyncio.sleep(0.001)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert made.recorder.degraded is None
        assert set(client.ages()) == {second.key.name}
        assert not client.busy


async def test_what_cannot_be_recorded_now_is_recorded_later(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        made.instead, made.full = (lambda _: Trouble(Why.TIMEOUT)), True
        await made.ask()
        assert made.said() == []
        made.full = False
        made.clock.forward(1000)
        await made.ask()
        assert made.said() == [(EventType.WITNESS_FAILED, "timeout")]


async def test_a_disk_that_takes_no_cosignature_is_said_and_counts_as_none(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        (made.prefix / "cosigned").write_bytes(b"in the way")
        await made.ask()
        assert made.said() == [(EventType.WITNESS_FAILED, "local")]
        assert made.client.ages() == {}
        assert open_checkpoint((made.prefix / "checkpoint").read_bytes(), made.recorder.verifier).size


async def test_nobody_is_asked_while_there_is_no_checkpoint(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        (made.prefix / "checkpoint").unlink()
        await made.ask()
        assert made.strict.asked == []
