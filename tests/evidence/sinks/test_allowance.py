"""Work is followed by rest in proportion, and rest is bounded."""

import asyncio

import pytest

from gateway.evidence.sinks import allowance as module
from gateway.evidence.sinks.allowance import Allowance


@pytest.mark.parametrize(
    ("used_ms", "share", "rested"), [(1, 0.2, 0.004), (1, 0.5, 0.001), (1, 1.0, 0.0), (900, 0.2, 0.25)]
)
async def test_a_rest_is_as_long_as_the_work_is_worth(
    monkeypatch: pytest.MonkeyPatch, used_ms: int, share: float, rested: float
) -> None:
    moments, rests = iter([5_000_000, 5_000_000 + used_ms * 1_000_000]), list[float]()

    async def sleep(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(module, "thread_cpu_ns", lambda: next(moments))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    allowance = Allowance(share)
    allowance.begin()
    await allowance.rest()
    assert rests == [pytest.approx(rested)]
