"""The only clock. Pure code receives one; tests pass a fixed one."""

import datetime as dt
import time
from typing import Final, Protocol

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NS: Final = 1_000_000_000


class Clock(Protocol):
    """Wall time for records and tokens, monotonic time for durations."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never goes back."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch, UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never goes back."""
        return time.monotonic_ns()


def moment(time_ns: int) -> str:
    """A time in UTC for people, to the second, as `2026-11-25 01:40:12Z`."""
    return f"{_EPOCH + dt.timedelta(seconds=time_ns // _NS):%Y-%m-%d %H:%M:%S}Z"


def thread_cpu_ns() -> int:
    """Nanoseconds of processor time that the calling thread has used."""
    return time.thread_time_ns()
