"""A bundle comes into force whole or not at all, each attempt with a record."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import BundleRejected
from gateway.core.events import Event, EventType
from gateway.policy import activation
from gateway.policy.activation import Activator
from gateway.policy.bundle import Bundle
from gateway.policy.decider import Decider
from gateway.policy.store import BundleStore
from tests.policy.modules import module
from tests.policy.world import FixedClock, bundle


class Bench:
    """An activator whose archives are JSON that says what `open_bundle` makes of them."""

    def __init__(self, folder: Path, *, accept_demo: bool = False) -> None:
        self.path = folder / "bundle.tar.gz"
        self.events: list[Event] = []
        self.decider = Decider(FixedClock())
        self.store = BundleStore(folder)
        self.activator = Activator(
            self.path, (), self.decider, store=self.store, clock=FixedClock(), note=self.note, accept_demo=accept_demo
        )

    async def note(self, event: Event) -> None:
        self.events.append(event)

    def lay(self, **what: object) -> None:
        self.path.write_text(json.dumps(what))

    @property
    def last(self) -> tuple[EventType, object]:
        return self.events[-1].type, self.events[-1].data.get("code")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(activation, "open_bundle", opened)
    return Bench(tmp_path)


def opened(raw: bytes, _keys: object, _now: int) -> Bundle:
    what = json.loads(raw)
    if "reject" in what:
        raise BundleRejected(what["reject"])
    made = bundle(sha256=hashlib.sha256(raw).hexdigest(), demo=what.get("demo", False))
    return msgspec.structs.replace(made, wasm=module(what["behaviour"])) if "behaviour" in what else made


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
        ({"behaviour": "never ends"}, "policy.timeout"),
        ({"behaviour": "traps"}, "policy.engine"),
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


async def test_the_demo_worker_takes_the_demos_key(tmp_path: Path, bench: Bench) -> None:
    demo = Bench(tmp_path, accept_demo=True)
    bench.lay(demo=True)
    assert await demo.activator.load("start")


async def test_a_file_too_large_is_refused_before_it_is_opened(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activation, "BUNDLE_MAX", 10)
    bench.lay(number=11111111)
    assert not await bench.activator.load("start")
    assert bench.last[1] == "bundle.too_large"
