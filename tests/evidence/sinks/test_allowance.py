"""Work is followed by rest in proportion, rests stand in a line, and none is without end."""

import asyncio

import pytest

from gateway.evidence.sinks import allowance as module
from gateway.evidence.sinks.allowance import Allowance

MS = 1_000_000


async def rests(monkeypatch: pytest.MonkeyPatch, share: float, used_ms: list[int]) -> list[float]:
    """How long each rest is, of somebody who works again before any rest is over."""
    found, cpu = list[float](), [0]

    async def sleep(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(module, "thread_cpu_ns", lambda: cpu[0])
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: 7.0)
    allowance = Allowance(share)
    allowance.begin()
    for used in used_ms:
        cpu[0] += used * MS
        await allowance.rest()
    return found


@pytest.mark.parametrize(
    ("used_ms", "share", "rested"), [(1, 0.2, 0.004), (1, 0.5, 0.001), (1, 1.0, 0.0), (900, 0.2, 2.0)]
)
async def test_a_rest_is_as_long_as_the_work_is_worth(
    monkeypatch: pytest.MonkeyPatch, used_ms: int, share: float, rested: float
) -> None:
    assert await rests(monkeypatch, share, [used_ms]) == [pytest.approx(rested)]


async def test_many_sinks_take_no_more_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await rests(monkeypatch, 0.2, [1, 2, 3]) == [pytest.approx(each) for each in (0.004, 0.012, 0.024)]
