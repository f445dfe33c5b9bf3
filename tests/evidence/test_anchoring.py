"""Once a day the newest checkpoint is time-stamped; an authority in trouble is told of once, and asked again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.core.clock import SystemClock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.anchor import read_roots
from gateway.evidence.anchoring import Anchoring
from gateway.evidence.anchoring import Authority as Asked
from gateway.evidence.anchors import anchors_of
from gateway.evidence.note import open_checkpoint
from gateway.evidence.recorder import Recorder
from gateway.evidence.witness import Answer, Trouble, Why
from tests.evidence.world import TickClock, one_session
from tests.support.tsa import NAME, Authority

URL = "http://tsa.example/tsr"
Reply = Callable[[bytes], Answer | Trouble]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


class Scene:
    """A log that is written, an authority, and its client; the clock is the machine's, and can be set ahead."""

    def __init__(self, folder: Path, recorder: Recorder, clock: TickClock, authority: Authority) -> None:
        self.prefix, self.recorder, self.clock = folder / "log/1", recorder, clock
        self.folder, self.authority = folder, authority
        self.events: list[Event] = []
        self.instead: Reply | None = None
        self.told = asyncio.Event()
        self.full = False
        self.asked = 0
        self.client = self.again()

    def again(self) -> Anchoring:
        """A client that knows only what is on disk."""
        roots = read_roots(self.authority.roots.read_bytes())
        self.client = Anchoring(self.folder, 1, [Asked(URL, roots, 86_400, self.post)], self.note, self.clock)
        return self.client

    async def post(self, body: bytes) -> Answer | Trouble:
        self.asked += 1
        return self.instead(body) if self.instead else Answer(200, self.authority.reply(body))

    async def note(self, event: Event) -> None:
        if self.full:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)
        self.told.set()
        await self.recorder.append(event)

    def said(self) -> list[tuple[EventType, object]]:
        return [(event.type, event.data.get("why")) for event in self.events]


@asynccontextmanager
async def scene(folder: Path, authority: Authority) -> AsyncIterator[Scene]:
    clock = TickClock(SystemClock().now_ns())
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    try:
        await one_session(recorder, clock, 3)
        await recorder.checkpoint()
        yield Scene(folder, recorder, clock, authority)
    finally:
        await recorder.close()


async def test_the_newest_checkpoint_is_stamped_and_both_are_kept(tmp_path: Path, authority: Authority) -> None:
    async with scene(tmp_path, authority) as made:
        await made.client.look()
        (anchor,) = anchors_of(made.prefix)
        assert anchor.checkpoint == (made.prefix / "checkpoint").read_bytes()
        assert authority.verifies(
            made.prefix / f"anchors/{anchor.name}.tsr", made.prefix / f"anchors/{anchor.name}.checkpoint"
        )
        (event,) = made.events
        assert (event.type, event.data["by"], event.data["name"]) == (EventType.LOG_ANCHORED, NAME, anchor.name)
        assert event.data["size"] == open_checkpoint(anchor.checkpoint, made.recorder.verifier).size
        assert 0 <= made.client.ages()["tsa.example"] < 60


async def test_it_is_stamped_once_a_day_also_over_restarts(tmp_path: Path, authority: Authority) -> None:
    async with scene(tmp_path, authority) as made:
        for _ in range(3):
            await made.client.look()
            await made.again().look()
        assert made.asked == 1
        made.clock.forward(86_400 - 60)
        await made.client.look()
        assert made.asked == 1
        made.clock.forward(61)
        made.instead = lambda _: Trouble(Why.TIMEOUT)  # the authority's own clock was not set ahead
        await made.client.look()
        assert made.asked == 2


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda _: Trouble(Why.UNREACHABLE, "ClientConnectorError"), "unreachable"),
        (lambda _: Answer(503, b""), "status"),
        (lambda _: Answer(200, b"<html>"), "signature"),
        (lambda _: Answer(200, b""), "signature"),
    ],
)
async def test_trouble_is_recorded_once_and_the_authority_asked_again_later(
    tmp_path: Path, authority: Authority, reply: Reply, why: str
) -> None:
    async with scene(tmp_path, authority) as made:
        made.instead = reply
        for _ in range(5):
            await made.client.look()
            made.clock.forward(30)
        assert made.asked == 2
        assert made.said() == [(EventType.ANCHOR_FAILED, why)]
        assert list(anchors_of(made.prefix)) == []
        made.instead = None
        made.clock.now = SystemClock().now_ns()
        made.client.authorities[0].rests_until = 0
        await made.client.look()
        assert [kind for kind, _ in made.said()] == [EventType.ANCHOR_FAILED, EventType.LOG_ANCHORED]


async def test_a_token_of_another_authority_or_another_time_is_not_kept(tmp_path: Path, authority: Authority) -> None:
    other = Authority(tmp_path / "other")
    async with scene(tmp_path / "var", authority) as made:
        made.instead = lambda body: Answer(200, other.reply(body))
        await made.client.look()
        made.instead = None
        made.clock.forward(4000)
        await made.client.look()
        assert [why for _, why in made.said()] == ["signature", "clock"]
        assert list(anchors_of(made.prefix)) == []


async def test_what_cannot_be_recorded_or_kept_is_said_later(tmp_path: Path, authority: Authority) -> None:
    async with scene(tmp_path, authority) as made:
        made.full, made.instead = True, (lambda _: Trouble(Why.TIMEOUT))
        await made.client.look()
        made.full, made.instead = False, None
        (made.prefix / "anchors").write_bytes(b"in the way")
        made.client.authorities[0].rests_until = 0
        await made.client.look()
        assert made.said() == [(EventType.ANCHOR_FAILED, "local")]


async def test_without_a_checkpoint_nobody_is_asked(tmp_path: Path, authority: Authority) -> None:
    async with scene(tmp_path, authority) as made:
        (made.prefix / "checkpoint").unlink()
        await made.client.look()
        assert (made.asked, made.said()) == (0, [])


async def test_it_runs_until_it_is_cancelled(tmp_path: Path, authority: Authority) -> None:
    async with scene(tmp_path, authority) as made:
        running = asyncio.ensure_future(made.client.run())
        await made.told.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert made.said() == [(EventType.LOG_ANCHORED, None)]
