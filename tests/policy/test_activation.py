"""A bundle comes into force whole or not at all, each attempt with a record."""

import asyncio
import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import BundleRejected, Unavailable
from gateway.core.events import Event, EventType
from gateway.policy import activation, source
from gateway.policy.activation import Activator, Cause, Means
from gateway.policy.bundle import Bundle
from gateway.policy.decider import Decider
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import Engine, EngineError
from gateway.policy.keyring import Keyring
from gateway.policy.memory import Memory
from gateway.policy.source import FileSource
from gateway.policy.store import BundleStore
from tests.policy.modules import module
from tests.policy.world import ALLOW, CountingEngine, FixedClock, bundle


class Bench:
    """An activator whose archives are JSON that says what a bundle is made of them."""

    def __init__(self, folder: Path, *, accept_demo: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        self.path = folder / "bundle.tar.gz"
        self.events: list[Event] = []
        self.published: list[bytes] = []
        self.clock = FixedClock()
        self.decider = Decider(self.clock)
        self.store = BundleStore(folder)
        self.memory = Memory.open(folder)
        self.engines: list[Engine] = []
        self.refuses_records = False
        means = Means(
            keyring=Ring(),
            store=self.store,
            memory=self.memory,
            clock=self.clock,
            note=self.note,
            engines=self.engine,
            publish=self.published.append,
            accept_demo=accept_demo,
        )
        self.activator = Activator(FileSource(self.path), self.decider, means)

    def engine(self, _: Bundle, embedded: EmbeddedEngine) -> Engine:
        return self.engines.pop(0) if self.engines else embedded

    async def note(self, event: Event) -> None:
        if self.refuses_records:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)

    def lay(self, **what: object) -> bytes:
        raw = json.dumps(what).encode()
        self.path.write_bytes(raw)
        return raw

    @property
    def last(self) -> tuple[EventType, object]:
        return self.events[-1].type, self.events[-1].data.get("code")


class Ring(Keyring):
    """Believes every archive that does not say otherwise."""

    def __init__(self) -> None:
        super().__init__(())
        self.distrusts: set[str] = set()

    def open(self, raw: bytes, now_s: int) -> Bundle:
        del now_s
        what = json.loads(raw)
        if reason := what.get("reject"):
            raise BundleRejected(reason)
        sha256 = hashlib.sha256(raw).hexdigest()
        vectors = (
            {"vectors/v.json": json.dumps(what.get("vectors", VECTORS)).encode()} if what.get("tried", True) else {}
        )
        made = bundle(sha256=sha256, demo=what.get("demo", False), sequence=what.get("sequence", 1), vectors=vectors)
        if "behaviour" in what:
            return msgspec.structs.replace(made, wasm=module(what["behaviour"]))
        return msgspec.structs.replace(made, wasm=module(builtins=b'{"http.send":0}')) if "asks" in what else made


VECTORS = {"about": "v", "vectors": [{"name": "one", "input": {}, "decision": ALLOW}]}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_good_bundle_comes_into_force_is_kept_and_recorded(bench: Bench) -> None:
    bench.lay(number=1)
    assert await bench.activator.load("start")
    assert bench.last[0] is EventType.BUNDLE_ACTIVATED
    active = bench.decider.active
    assert active is not None
    assert bench.store.read(active.bundle.sha256) == bench.path.read_bytes()


async def test_the_same_bundle_again_changes_nothing(bench: Bench) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    first = bench.decider.active
    assert await bench.activator.load("asked")
    assert bench.decider.active is first
    assert len(bench.events) == 1


async def test_a_new_one_takes_the_place_of_the_old_and_names_it(bench: Bench) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    bench.lay(number=2)
    assert await bench.activator.load("the file changed")
    assert bench.events[1].data["previous"] == bench.events[0].bundle
    assert bench.events[1].data["why"] == "the file changed"


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"reject": "bundle.unsigned"}, "bundle.unsigned"),
        ({"demo": True}, "bundle.demo"),
        ({"behaviour": "never ends"}, "bundle.runaway"),
        ({"behaviour": "traps"}, "bundle.not_run"),
        ({"asks": "its host"}, "bundle.capability"),
        ({"tried": False}, "bundle.vectors"),
        ({"vectors": {"about": "v", "vectors": []}}, "bundle.vectors"),
        ({"vectors": "none"}, "bundle.vectors"),
        (
            {"vectors": {**VECTORS, "site": {}, "vectors": [{"name": "x", "input": {}, "decision": {}}]}},
            "bundle.vectors_failed",
        ),
        ({"sequence": 0}, "bundle.sequence"),
    ],
)
async def test_a_bad_one_leaves_the_old_in_force_and_a_record(bench: Bench, what: dict[str, object], code: str) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    good = bench.decider.active
    bench.lay(**what)
    assert not await bench.activator.load("the file changed")
    assert bench.decider.active is good
    assert bench.last == (EventType.BUNDLE_REJECTED, code)


async def test_a_missing_file_is_recorded_and_nothing_is_active(bench: Bench) -> None:
    assert not await bench.activator.load("start")
    assert bench.last == (EventType.BUNDLE_REJECTED, "bundle.missing")
    assert bench.decider.active is None


async def test_the_demo_worker_takes_the_demos_key(tmp_path: Path) -> None:
    demo = Bench(tmp_path, accept_demo=True)
    demo.lay(demo=True)
    assert await demo.activator.load("start")


async def test_a_file_too_large_is_refused_before_it_is_opened(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "BUNDLE_MAX", 10)
    bench.lay(number=11111111)
    assert not await bench.activator.load("start")
    assert bench.last[1] == "bundle.too_large"


ORDER = Cause("policy rollback", who="maria", reason="the new one denies too much", back=True)


async def test_an_older_one_comes_back_by_order_only_with_who_and_why(bench: Bench) -> None:
    old = bench.lay(sequence=1)
    await bench.activator.load("start")
    new = bench.lay(sequence=2)
    await bench.activator.load("the file changed")
    bench.path.write_bytes(old)
    assert not await bench.activator.load("the file changed")
    assert bench.last == (EventType.BUNDLE_REJECTED, "bundle.sequence")
    back = await bench.activator.rollback(hashlib.sha256(old).hexdigest(), ORDER)
    assert bench.activator.active_sha256 == back.sha256 == hashlib.sha256(old).hexdigest()
    event = bench.events[-1]
    assert event.type is EventType.BUNDLE_ROLLED_BACK
    assert event.who is not None
    assert (event.who.id, event.data["reason"]) == ("maria", ORDER.reason)
    assert event.data["previous"] == f"sha256:{hashlib.sha256(new).hexdigest()}"


async def test_what_was_rolled_back_from_stays_away_until_somebody_brings_it_back(bench: Bench) -> None:
    old = bench.lay(sequence=1)
    await bench.activator.load("start")
    new = bench.lay(sequence=2)
    await bench.activator.load("the file changed")
    await bench.activator.rollback(hashlib.sha256(old).hexdigest(), ORDER)
    assert not await bench.activator.load("asked")
    assert bench.last == (EventType.BUNDLE_REJECTED, "bundle.withdrawn")
    await bench.activator.activate(new, Cause("policy activate", who="maria", reason="it was right"))
    assert bench.memory.now.withdrawn == ()
    bench.lay(sequence=3)
    assert await bench.activator.load("the file changed")


async def test_a_rollback_to_what_was_never_active_or_is_believed_no_more_is_refused_and_recorded(bench: Bench) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    good = bench.decider.active
    with pytest.raises(BundleRejected, match="not_kept"):
        await bench.activator.rollback("0" * 64, ORDER)
    digest = bench.store.keep(json.dumps({"reject": "bundle.revoked_key"}).encode())
    with pytest.raises(BundleRejected, match="revoked_key"):
        await bench.activator.rollback(digest, ORDER)
    assert [event.data["code"] for event in bench.events[1:]] == ["bundle.not_kept", "bundle.revoked_key"]
    assert bench.decider.active is good


async def test_after_a_restart_what_was_active_is_active_whatever_lies_at_the_path(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    old = first.lay(sequence=1)
    await first.activator.load("start")
    first.lay(sequence=2)
    await first.activator.load("the file changed")
    await first.activator.rollback(hashlib.sha256(old).hexdigest(), ORDER)
    again = Bench(tmp_path)
    assert await again.activator.start()
    assert again.activator.active_sha256 == hashlib.sha256(old).hexdigest()
    assert [event.type for event in again.events] == [EventType.BUNDLE_REJECTED, EventType.BUNDLE_ACTIVATED]
    again.lay(sequence=3)
    assert await again.activator.load("the file changed")


async def test_after_a_restart_a_bundle_that_is_believed_no_more_decides_nothing(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    first.memory.keep(active=first.store.keep(json.dumps({"reject": "bundle.revoked_key"}).encode()))
    assert not await first.activator.start()
    assert first.decider.active is None
    assert first.last == (EventType.BUNDLE_REJECTED, "bundle.revoked_key")


async def test_a_record_that_cannot_be_written_keeps_the_old_one_in_force(bench: Bench) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    good = bench.decider.active
    bench.lay(number=2)
    bench.refuses_records = True
    assert not await bench.activator.load("the file changed")
    assert bench.decider.active is good
    assert bench.published[-1] == json.dumps({"number": 1}).encode()
    bench.refuses_records = False
    assert await bench.activator.load("again")


async def test_keys_that_no_longer_answer_for_the_active_bundle_end_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.lay(number=1)
    await bench.activator.load("start")
    await bench.activator.recheck()
    assert bench.decider.active is not None

    def revoked(*_: object) -> Bundle:
        raise BundleRejected("bundle.revoked_key")

    monkeypatch.setattr(Ring, "open", revoked)
    await bench.activator.recheck()
    assert bench.decider.active is None
    assert bench.last == (EventType.BUNDLE_REJECTED, "bundle.revoked_key")


async def test_with_an_opa_that_decides_the_old_bundle_stays_until_it_has_the_new_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "TAKE_LOOK_SECONDS", 0)
    one, two = (CountingEngine(ALLOW, remembers=False) for _ in range(2))
    bench.engines = [one, two]
    bench.lay(number=1)
    assert await bench.activator.load("start")
    first = bench.activator.active_sha256
    raw = bench.lay(number=2)
    two.answer = EngineError("policy.other_bundle")
    loading = asyncio.ensure_future(bench.activator.load("the file changed"))
    for _ in range(500):
        if bench.published[-1] == raw:
            break
        await asyncio.sleep(0.01)
    assert bench.activator.active_sha256 == first
    two.answer = ALLOW
    assert await loading
    assert bench.activator.active_sha256 == hashlib.sha256(raw).hexdigest()
    assert (one.closed, two.closed) == (1, 0)


async def test_an_opa_that_does_not_take_the_new_bundle_keeps_the_old_one_and_is_asked_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "TAKE_SECONDS", 0)
    bench.engines = [
        CountingEngine(ALLOW, remembers=False),
        CountingEngine(EngineError("policy.opa_down"), remembers=False),
    ]
    raw = bench.lay(number=1)
    await bench.activator.load("start")
    good = bench.decider.active
    bench.lay(number=2)
    assert not await bench.activator.load("the file changed")
    assert bench.decider.active is good
    assert bench.published[-1] == raw
    assert bench.last == (EventType.BUNDLE_REJECTED, "bundle.not_taken")
    assert "policy.opa_down" in str(bench.events[-1].data["detail"])
    monkeypatch.setattr(activation, "AGAIN_SECONDS", 0)
    monkeypatch.setattr(activation, "LOOK_EVERY_SECONDS", 0.01)
    bench.engines = [CountingEngine(EngineError("policy.opa_slow"), remembers=False), CountingEngine(ALLOW)]
    assert not await bench.activator.load("asked")
    watching = asyncio.ensure_future(bench.activator.watch())
    for _ in range(500):
        if bench.decider.active is not good:
            break
        await asyncio.sleep(0.01)
    watching.cancel()
    assert bench.decider.active is not good


async def test_the_same_failure_again_and_again_is_recorded_once(bench: Bench) -> None:
    bench.lay(reject="bundle.expired")
    for _ in range(3):
        assert not await bench.activator.load("asked")
    assert len(bench.events) == 1
