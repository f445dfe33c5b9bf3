"""What is known of clocks: whether the kernel's is synchronised, and how far a database's is from it (PCI DSS 10.6).

The kernel keeps what the time service told it last (Linux, adjtimex(2)); elsewhere it is unknown, and said so. A
database is asked for its time: half of the way there and back is how far the answer may be wrong.
"""

import ctypes
import sys
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from gateway.core.events import Event, EventType
from gateway.core.principal import Json

FAR_US: Final = 1_000_000
"""microseconds from which an operator is told"""
_UNSYNCHRONISED: Final = 0x0040
_NANOSECONDS: Final = 0x2000
_ERROR: Final = 5
"""TIME_ERROR: the clock is not synchronised"""


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """The kernel's clock, microseconds. `synchronised` None: nobody can say."""

    synchronised: bool | None
    offset_us: int | None = None
    """what is left to correct"""
    error_us: int | None = None
    """estimated"""
    most_us: int | None = None
    """by how much it may be wrong at most"""


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """A database's clock less ours, microseconds; `error_us` either way."""

    offset_us: int
    error_us: int

    @property
    def surely_us(self) -> int:
        """By how much they differ whatever the way there and back did."""
        return max(abs(self.offset_us) - self.error_us, 0)


class _Timex(ctypes.Structure):
    """struct timex (linux/timex.h)."""

    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("constant", ctypes.c_long),
        ("precision", ctypes.c_long), ("tolerance", ctypes.c_long), ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long), ("tick", ctypes.c_long), ("rest", ctypes.c_long * 32),
    )  # fmt: skip


def kernel_clock() -> Kernel:
    """Ask the kernel. Never raises."""
    if not sys.platform.startswith("linux"):
        return Kernel(synchronised=None)
    said = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(said))
    except (OSError, AttributeError):
        return Kernel(synchronised=None)
    if state < 0:
        return Kernel(synchronised=None)
    return of_kernel(state, said.status, said.offset, said.esterror, said.maxerror)


def of_kernel(state: int, status: int, offset: int, error: int, most: int) -> Kernel:
    """What adjtimex said."""
    return Kernel(
        synchronised=state != _ERROR and not status & _UNSYNCHRONISED,
        offset_us=offset // 1000 if status & _NANOSECONDS else offset,
        error_us=error,
        most_us=most,
    )


def apart(asked: Iterable[tuple[int, int, int]]) -> Apart:
    """The best of some questions: (our time before, the database's, our time after), microseconds."""
    before, theirs, after = min(asked, key=lambda each: each[2] - each[0])
    return Apart(offset_us=theirs - (before + after) // 2, error_us=max(after - before + 1, 0) // 2)


def measured(kernel: Kernel, databases: Mapping[str, Apart | str]) -> Event:
    """The record; of a database that could not be asked it has the code of the error."""
    far = [name for name, found in databases.items() if isinstance(found, Apart) and found.surely_us > FAR_US]
    said: dict[str, Json] = {
        name: {"unavailable": found} if isinstance(found, str) else msgspec.to_builtins(found)
        for name, found in databases.items()
    }
    facts = {name: value for name, value in msgspec.to_builtins(kernel).items() if value is not None}
    data: dict[str, Json] = {"kernel": facts or {"synchronised": "unknown"}, "databases": said}
    if far:
        data["far"] = list[Json](far)
    return Event(type=EventType.CLOCK_MEASURED, ok=not far, data=data)
