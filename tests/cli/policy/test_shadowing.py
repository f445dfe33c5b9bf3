"""A candidate's differences are read from the log: those of the period, and only where a candidate stood beside."""

from pathlib import Path

import pytest

from gateway.cli.policy.shadowing import decisions
from gateway.core.events import Event, EventType, Who
from gateway.evidence.recorder import Recorder
from tests.policy.world import FixedClock


def event(**shadow: object) -> Event:
    data: dict[str, object] = {"phase": "query"}
    if shadow:
        data["shadow"] = {"bundle": f"sha256:{'c' * 64}", **shadow}
    return Event(
        type=EventType.STATEMENT_DECIDED, sid="s", did="d", who=Who(id="agent-7"), res="payments", act="select",
        outcome="allow", data=data,
    )  # fmt: skip


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    clock = FixedClock()
    recorder = await Recorder.open(tmp_path, clock)
    for each in (event(), event(outcome="allow"), event(outcome="deny", change="outcome", codes=["x"])):
        await recorder.append(each)
        clock.now += 10**9
    await recorder.close()
    return tmp_path


async def test_only_what_was_compared_is_told_the_latest_first(data: Path) -> None:
    found = list(decisions(data, 0))
    assert [(each.said.outcome, each.said.change, each.said.codes) for each in found] == [
        ("deny", "outcome", ("x",)), ("allow", "", ()),
    ]  # fmt: skip
    assert (found[0].who, found[0].connection, found[0].action, found[0].outcome) == (
        "agent-7", "payments", "select", "allow",
    )  # fmt: skip


async def test_what_is_older_than_asked_for_is_left_out(data: Path) -> None:
    assert len(list(decisions(data, FixedClock().now + 2 * 10**9))) == 1
    assert list(decisions(data, FixedClock().now + 10**11)) == []
