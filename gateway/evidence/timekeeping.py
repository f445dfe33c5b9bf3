"""Notices when somebody sets the machine's clock: its two clocks then do not go the same way any more."""

from typing import Final, NamedTuple

from gateway.core.clock import Clock

JUMP_NS: Final = 1_000_000_000
"""what the wall clock may gain or lose on the other between two leaves; being slewed it stays far below"""


class Jump(NamedTuple):
    """The wall clock was set."""

    by_ns: int
    """negative: back"""
    expected_ns: int
    """what it would show"""


class Timekeeper:
    """Compares the wall clock with the one that never goes back, each time the log is written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall = clock.now_ns()
        self._steady = clock.monotonic_ns()

    def look(self) -> Jump | None:
        """Whether the clock was set since the last look."""
        wall, steady = self._clock.now_ns(), self._clock.monotonic_ns()
        expected = self._wall + steady - self._steady
        self._wall, self._steady = wall, steady
        return Jump(wall - expected, expected) if abs(wall - expected) >= JUMP_NS else None
