"""How long to wait before trying again: twice as long each time, up to a limit, somewhere in the upper half of it.

The chance in it keeps many gateways from coming back to a receiver at one moment.
"""

from gateway.core.ids import random_bytes


class Backoff:
    """Seconds to wait, one try after another."""

    def __init__(self, first: float, most: float) -> None:
        self._first, self._most = first, most
        self.tries = 0
        """failures since the last success"""

    def fail(self, asked: float | None = None) -> float:
        """Count a failure; how long to wait. What the receiver `asked` for is granted, as long as it is sane."""
        self.tries += 1
        wait = min(self._most, self._first * float(1 << min(self.tries - 1, 30)))
        wait *= 0.5 + int.from_bytes(random_bytes(2), "big") / 131_072
        return max(wait, min(asked, self._most)) if asked is not None else wait

    def reset(self) -> None:
        """All is well again."""
        self.tries = 0
