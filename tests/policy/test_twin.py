"""Two engines that differ are an alarm and a denial; one that is away is neither."""

import hashlib

import pytest

from gateway.policy.engine import EngineError
from gateway.policy.twin import Comparison, Twin
from tests.policy.world import ALLOW, CountingEngine

OTHER = {**ALLOW, "advice": ["x"]}


def twin(decides: CountingEngine, checks: CountingEngine, percent: int = 100) -> Twin:
    return Twin(decides, checks, percent, Comparison())


async def test_equal_answers_pass_and_are_counted() -> None:
    both = twin(CountingEngine(ALLOW), CountingEngine(ALLOW))
    assert await both.evaluate(b"{}") == await both.decides.evaluate(b"{}")
    assert both.found == Comparison(asked=1)


async def test_answers_that_differ_deny_and_are_counted() -> None:
    both, told = twin(CountingEngine(ALLOW), CountingEngine(OTHER)), list[str]()
    both.found.alarm = told.append
    with pytest.raises(EngineError, match="engines_differ"):
        await both.evaluate(b"{}")
    assert both.found == Comparison(asked=1, differed=1)
    assert told == [f"fake/1, fake/1, input {hashlib.sha256(b'{}').hexdigest()}"]


async def test_a_second_engine_that_does_not_answer_leaves_the_first_one_s_answer() -> None:
    both = twin(CountingEngine(ALLOW), CountingEngine(EngineError("policy.opa_down")))
    assert await both.evaluate(b"{}")
    assert both.found == Comparison(asked=1, unanswered=1)


async def test_a_first_engine_that_does_not_answer_denies_whatever_the_second_one_would_say() -> None:
    second = CountingEngine(ALLOW)
    both = twin(CountingEngine(EngineError("policy.opa_down")), second)
    with pytest.raises(EngineError, match="opa_down"):
        await both.evaluate(b"{}")
    with pytest.raises(EngineError, match="opa_down"):
        await both.check()
    assert second.asked == []


@pytest.mark.parametrize(("percent", "asked"), [(1, 1), (10, 10), (33, 33), (100, 100)])
async def test_so_many_of_a_hundred_are_asked_twice(percent: int, asked: int) -> None:
    both = twin(CountingEngine(ALLOW), CountingEngine(ALLOW), percent)
    for _ in range(100):
        await both.evaluate(b"{}")
    assert both.found.asked == asked


def test_it_goes_by_the_first_one_s_name_and_closes_both() -> None:
    first, second = CountingEngine(ALLOW, remembers=False), CountingEngine(ALLOW)
    both = twin(first, second)
    both.close()
    assert (both.name, both.remembers, first.closed, second.closed) == ("fake/1", False, 1, 1)
