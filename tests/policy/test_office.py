"""Stops hold before they are recorded and are recorded before they are lifted; a slow bundle holds up no stop."""

import asyncio
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType, Who
from gateway.policy import office as office_module
from gateway.policy.decider import Decider
from gateway.policy.memory import Memory
from gateway.policy.office import Office
from gateway.policy.orders import (
    Accessed,
    Activate,
    Answer,
    Command,
    Halt,
    Lift,
    Order,
    Prune,
    Reviewed,
    Rollback,
    Shred,
    Tray,
)
from tests.policy.test_activation import Bench
from tests.policy.world import FixedClock

FIRST = "01a2113f-ef77-7fef-bf71-000000000001"
SECOND = "01a2113f-ef77-7fef-bf71-000000000002"


class Bureau:
    """An office and everything it works with."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        self.tray = Tray(folder)
        self.decider = self.bench.decider
        self.memory = self.bench.memory
        self.office = Office(self.tray, self.bench.activator, self.decider, self.memory, self.bench.note)

    def order(self, command: Command, order_id: str = FIRST, bundle: bytes | None = None) -> None:
        self.tray.place(Order(id=order_id, by="maria", reason="why", at="t", command=command), bundle)

    async def done(self, command: Command, order_id: str = FIRST, bundle: bytes | None = None) -> Answer:
        self.order(command, order_id, bundle)
        await self.office.work()
        answer = self.tray.answer(order_id)
        assert answer is not None
        return answer


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


async def test_a_stop_is_in_force_remembered_and_recorded(bureau: Bureau) -> None:
    answer = await bureau.done(Halt(kind="subject", name="agent-7"))
    assert answer == Answer(ok=True, text=FIRST)
    (standing,) = bureau.decider.stops.standing
    assert (standing.name, standing.by, standing.reason) == ("agent-7", "maria", "why")
    assert bureau.memory.now.stops == (standing,)
    event = bureau.bench.events[-1]
    assert (event.type, event.data["name"]) == (EventType.POLICY_STOPPED, "agent-7")


async def test_a_stop_holds_also_when_it_cannot_be_recorded_and_is_not_lifted_unrecorded(bureau: Bureau) -> None:
    bureau.bench.refuses_records = True
    assert not (await bureau.done(Halt(kind="everything"))).ok
    assert len(bureau.decider.stops.standing) == 1
    assert not (await bureau.done(Lift(stop=FIRST), SECOND)).ok
    assert len(bureau.decider.stops.standing) == 1
    bureau.bench.refuses_records = False
    assert (await bureau.done(Lift(stop=FIRST), SECOND)).ok
    assert bureau.decider.stops.standing == bureau.memory.now.stops == ()
    assert bureau.bench.events[-1].type is EventType.POLICY_STOP_LIFTED


@pytest.mark.parametrize("command", [Halt(kind="everything", name="x"), Halt(kind="group"), Lift(stop="x")])
async def test_an_order_that_makes_no_sense_does_nothing(bureau: Bureau, command: Command) -> None:
    answer = await bureau.done(command)
    assert (answer.ok, answer.code) == (False, "order.invalid")
    assert bureau.decider.stops.standing == ()


async def test_what_stood_stands_again_before_anything_is_decided(tmp_path: Path, bureau: Bureau) -> None:
    await bureau.done(Halt(kind="everything"))
    decider, events = Decider(FixedClock()), list[Event]()

    async def note(event: Event) -> None:
        events.append(event)

    office = Office(bureau.tray, bureau.bench.activator, decider, Memory.open(tmp_path), note)
    await office.stand()
    assert len(decider.stops.standing) == 1
    assert events[0].data["why"] == "stood when the gateway started"


async def test_a_bundle_comes_by_order_and_goes_back_by_order(bureau: Bureau) -> None:
    one = bureau.bench.lay(sequence=1)
    await bureau.bench.activator.load("start")
    first = bureau.bench.activator.active_sha256
    assert (await bureau.done(Activate(), bundle=one.replace(b"1", b"2"))).ok
    assert bureau.bench.activator.active_sha256 != first
    assert (await bureau.done(Rollback(to=first))).ok
    assert bureau.bench.activator.active_sha256 == first
    assert (await bureau.done(Activate())).code == "bundle.missing"
    assert (await bureau.done(Rollback(to="0" * 64))).code == "bundle.not_kept"


async def test_a_bundle_that_takes_its_time_holds_up_no_stop(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    release = asyncio.Event()

    async def slow(*_: object) -> None:
        await release.wait()
        raise Unavailable("evidence.unavailable")

    monkeypatch.setattr(bureau.bench.activator, "activate", slow)
    monkeypatch.setattr(office_module, "LOOK_EVERY_SECONDS", 0.01)
    bureau.order(Activate(), FIRST, b"bundle")
    watching = asyncio.ensure_future(bureau.office.watch())
    await asyncio.sleep(0.05)
    assert bureau.tray.attended()
    bureau.order(Halt(kind="everything"), SECOND)
    for _ in range(300):
        if bureau.decider.stops.standing:
            break
        await asyncio.sleep(0.01)
    assert bureau.decider.stops.standing
    assert bureau.tray.answer(FIRST) is None
    release.set()
    for _ in range(300):
        if (answer := bureau.tray.answer(FIRST)) is not None:
            break
        await asyncio.sleep(0.01)
    assert answer is not None
    assert answer.code == "evidence.unavailable"
    watching.cancel()


async def test_a_file_that_is_no_order_is_answered_and_taken_away(tmp_path: Path, bureau: Bureau) -> None:
    bureau.order(Halt(kind="everything"))
    (tmp_path / "orders" / f"{FIRST}.order.json").write_bytes(b"{}")
    await bureau.office.work()
    answer = bureau.tray.answer(FIRST)
    assert answer is not None
    assert answer.code == "order.invalid"
    assert bureau.decider.stops.standing == ()


async def test_what_cannot_be_taken_away_holds_up_no_stop_and_nothing_is_done_twice(
    tmp_path: Path, bureau: Bureau
) -> None:
    folder = tmp_path / "orders"
    (folder / "0.order.json").mkdir(parents=True)  # a folder is no order, and cannot be unlinked
    (folder / f"{FIRST}.answer.json").mkdir()  # where the answer to the first order would go
    bureau.order(Halt(kind="everything"))
    assert (await bureau.done(Halt(kind="subject", name="agent-7"), SECOND)).ok
    await bureau.office.work()
    assert [stop.id for stop in bureau.decider.stops.standing] == [FIRST, SECOND]
    assert len(bureau.bench.events) == 2


async def test_who_reads_evidence_is_recorded_and_an_access_that_is_not_is_said(bureau: Bureau) -> None:
    command = Accessed(what="search", arguments={"label": "pan"}, results=3, person="eve")
    assert await bureau.done(command) == Answer(ok=True, text="recorded")
    event = bureau.bench.events[-1]
    assert (event.type, event.act, event.durable) == (EventType.EVIDENCE_ACCESSED, "search", True)
    assert event.who == Who(id="maria", on_behalf_of="eve")
    assert event.data == {"order": FIRST, "arguments": {"label": "pan"}, "results": 3}
    bureau.bench.refuses_records = True
    assert not (await bureau.done(command, SECOND)).ok


async def test_who_signs_off_a_day_is_recorded_with_the_digest_they_saw(bureau: Bureau) -> None:
    seen = f"sha256:{'a' * 64}"
    command = Reviewed(day="2026-11-25", until="2026-11-26", digest=seen, detections=2, person="eve")
    assert (await bureau.done(command)).ok
    event = bureau.bench.events[-1]
    assert (event.type, event.durable) == (EventType.REVIEW_SIGNED, True)
    assert event.who == Who(id="maria", on_behalf_of="eve")
    assert (event.data["day"], event.data["digest"], event.data["detections"]) == ("2026-11-25", seen, 2)


async def test_old_leaves_are_pruned_by_who_knows_how(bureau: Bureau) -> None:
    assert (await bureau.done(Prune(before_ns=5))).code == "order.invalid"

    async def pruner(wish: Prune, order: Order) -> str:
        return f"{wish.before_ns} by {order.by}"

    bureau.office.pruner = pruner
    assert await bureau.done(Prune(before_ns=5), SECOND) == Answer(ok=True, text="5 by maria")


async def test_what_is_being_shredded_is_recorded_with_its_reasons(bureau: Bureau) -> None:
    answer = await bureau.done(Shred(session=SECOND, legal="order 17", person="Anna"))
    assert answer == Answer(ok=True, text="recorded")
    (event,) = [event for event in bureau.bench.events if event.type is EventType.RECORDING_SHREDDED]
    assert event.data == {"order": FIRST, "session": SECOND, "reason": "why", "legal": "order 17"}
    assert (event.who, event.durable) == (Who(id="maria", on_behalf_of="Anna"), True)
