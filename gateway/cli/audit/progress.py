"""A progress bar on stderr: only on a terminal, and only when the work takes longer than two seconds."""

from typing import Final, TextIO

from gateway.core.clock import Clock

SHOW_AFTER_NS: Final = 2_000_000_000
EVERY_NS: Final = 100_000_000
WIDTH: Final = 40


class Bar:
    """Call it with what is done and what there is in all; `clear` takes it away."""

    def __init__(self, stream: TextIO, clock: Clock, unit: str) -> None:
        self._stream = stream
        self._clock = clock
        self._unit = unit
        self._started = clock.monotonic_ns()
        self._shown = 0
        self._on = stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Show it, when it is time to."""
        now = self._clock.monotonic_ns()
        if not self._on or now - self._started < SHOW_AFTER_NS or now - self._shown < EVERY_NS:
            return
        self._shown = now
        filled = WIDTH * done // total if total else WIDTH
        self._stream.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {done:,} of {total:,} {self._unit}")
        self._stream.flush()

    def clear(self) -> None:
        """Leave an empty line."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
