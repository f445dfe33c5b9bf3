"""Everything the gateway says on stderr, without card numbers: its log, warnings of libraries, tracebacks.

Whoever writes a line has left values out of it; this is the net below, at the one place through which all of them go.
"""

import sys
from typing import Final, TextIO

from gateway.core.blanking import clean_text

MAX_LINE: Final = 64 * 1024
"""characters that are held back for a line's end"""


class CleanStream:
    """A text stream that holds back a line until it is whole, and passes it on without card numbers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._held = ""

    def write(self, text: str) -> int:
        """Take in a part of a line, or several lines."""
        whole, newline, self._held = (self._held + text).rpartition("\n")
        if newline:
            self._stream.write("".join(f"{clean_text(line)}\n" for line in whole.split("\n")))
        elif len(self._held) > MAX_LINE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Pass on what is held back."""
        held, self._held = self._held, ""
        if held:
            self._stream.write(clean_text(held))
        self._stream.flush()

    def isatty(self) -> bool:
        """As the stream below."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """As the stream below: for what writes to it without us, such as the fault handler, which writes no values."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """As the stream below."""
        return self._stream.encoding


def clean_stderr() -> CleanStream:
    """From now on nothing reaches stderr but through a clean stream. A second call changes nothing."""
    if not isinstance(sys.stderr, CleanStream):
        sys.stderr = CleanStream(sys.stderr)
    stream: object = sys.stderr
    if not isinstance(stream, CleanStream):
        raise TypeError("stderr is not ours")
    return stream
