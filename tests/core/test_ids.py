"""Identifiers sort by time and cannot be guessed."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ids import new_id, random_bytes


class FixedClock:
    def __init__(self, now_ns: int) -> None:
        self._now = now_ns

    def now_ns(self) -> int:
        return self._now

    def monotonic_ns(self) -> int:
        return self._now


milliseconds = st.integers(min_value=0, max_value=(1 << 48) - 1)


@given(milliseconds)
def test_an_id_is_a_version_7_uuid_that_carries_its_millisecond(moment: int) -> None:
    made = uuid.UUID(new_id(FixedClock(moment * 1_000_000)))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == moment


@given(milliseconds, milliseconds)
def test_ids_of_different_milliseconds_sort_by_time(one: int, other: int) -> None:
    first, second = (new_id(FixedClock(moment * 1_000_000)) for moment in (one, other))
    assert one == other or (first < second) == (one < other)


def test_ids_of_one_moment_differ() -> None:
    clock = FixedClock(0)
    assert len({new_id(clock) for _ in range(1000)}) == 1000


def test_random_bytes_have_the_asked_length_and_differ() -> None:
    assert len(random_bytes(32)) == 32
    assert random_bytes(32) != random_bytes(32)
