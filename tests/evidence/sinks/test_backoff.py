"""Waits grow, never beyond their limit, and differ."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.sinks.backoff import Backoff


@given(st.floats(0.01, 5), st.floats(5, 600), st.integers(1, 80))
def test_a_wait_lies_in_the_upper_half_of_what_doubles_up_to_the_limit(first: float, most: float, tries: int) -> None:
    backoff = Backoff(first, most)
    wait = [backoff.fail() for _ in range(tries)][-1]
    whole = min(most, first * 2 ** (tries - 1))
    assert whole / 2 <= wait <= whole
    assert backoff.tries == tries


def test_waits_differ() -> None:
    assert len({Backoff(1, 60).fail() for _ in range(50)}) > 10


def test_what_the_receiver_asks_for_is_granted_up_to_the_limit() -> None:
    assert Backoff(1, 60).fail(30) == 30
    assert Backoff(1, 60).fail(86_400) == 60
    assert Backoff(8, 60).fail(0) >= 4


def test_success_begins_again() -> None:
    backoff = Backoff(1, 60)
    for _ in range(9):
        backoff.fail()
    backoff.reset()
    assert backoff.tries == 0
    assert backoff.fail() <= 1
