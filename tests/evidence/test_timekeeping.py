"""A clock that is set is noticed; one that is slewed, or a machine that is slow, is not."""

import pytest

from gateway.evidence.timekeeping import JUMP_NS, Jump, Timekeeper

SECOND = 1_000_000_000


class TwoClocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1_900_000_000 * SECOND, 7 * SECOND

    def now_ns(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.steady

    def go_on(self, wall: int, steady: int) -> None:
        self.wall += wall
        self.steady += steady


@pytest.mark.parametrize(
    ("wall", "steady"), [(0, 0), (3600 * SECOND, 3600 * SECOND), (10 * SECOND, 10 * SECOND - 5_000_000)]
)
def test_clocks_that_go_together_are_no_jump(wall: int, steady: int) -> None:
    clock = TwoClocks()
    time = Timekeeper(clock)
    clock.go_on(wall, steady)
    assert time.look() is None


@pytest.mark.parametrize("by", [-3600 * SECOND, -JUMP_NS, JUMP_NS, 86_400 * SECOND])
def test_a_clock_that_was_set_is_noticed_once(by: int) -> None:
    clock = TwoClocks()
    time = Timekeeper(clock)
    clock.go_on(10 * SECOND + by, 10 * SECOND)
    expected = clock.wall - by
    assert time.look() == Jump(by, expected)
    clock.go_on(SECOND, SECOND)
    assert time.look() is None
