"""The machine's clock, as the rooms see it."""

import time

from gateway.core.clock import SystemClock


def test_wall_time_is_nanoseconds_since_the_epoch() -> None:
    before = time.time_ns()
    now = SystemClock().now_ns()
    assert before <= now <= time.time_ns()


def test_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_ns() for _ in range(1000)]
    assert readings == sorted(readings)
