"""Read the fields of one message: integers, strings, counted bytes (PostgreSQL 18, §54.6).

A message is read to its last byte or refused: bytes nobody read are bytes the other side may read differently.
"""

import struct

from gateway.core.errors import ProtocolError

INT16 = struct.Struct(">h")
INT32 = struct.Struct(">i")
UINT16 = struct.Struct(">H")
UINT32 = struct.Struct(">I")
NULL_LENGTH = -1
_SIZES = {"h": 2, "H": 2, "i": 4, "I": 4}


class Fields:
    """A cursor over the content of one message. Every method raises ProtocolError(`malformed`) at its end."""

    __slots__ = ("_at", "_malformed", "_raw", "_size")

    def __init__(self, raw: bytes, start: int = 5, *, malformed: str = "wire.malformed") -> None:
        self._raw = raw
        self._at = start
        self._size = len(raw)
        self._malformed = malformed

    def refusal(self, detail: str) -> ProtocolError:
        """The error for this message. `detail` must not quote its content."""
        return ProtocolError(self._malformed, detail)

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self._size - self._at

    def _number(self, form: struct.Struct) -> int:
        value: int
        try:
            (value,) = form.unpack_from(self._raw, self._at)
        except struct.error:
            raise self.refusal("message ends early") from None
        self._at += form.size
        return value

    def int16(self) -> int:
        """Signed, two bytes."""
        return self._number(INT16)

    def uint16(self) -> int:
        """A count or a format code."""
        return self._number(UINT16)

    def int32(self) -> int:
        """Signed, four bytes."""
        return self._number(INT32)

    def uint32(self) -> int:
        """An OID."""
        return self._number(UINT32)

    def structure(self, form: struct.Struct) -> tuple[int, ...]:
        """Several numbers at once."""
        values: tuple[int, ...]
        try:
            values = form.unpack_from(self._raw, self._at)
        except struct.error:
            raise self.refusal("message ends early") from None
        self._at += form.size
        return values

    def count(self, each: int) -> int:
        """A count of items of at least `each` bytes, which must all be able to stand in what is left."""
        value = self._number(UINT16)
        if value * each > self._size - self._at:
            raise self.refusal("a count exceeds the message")
        return value

    def numbers(self, letter: str) -> tuple[int, ...]:
        """A counted array: `letter` is `h`, `H`, `i` or `I`, as in `struct`."""
        size = _SIZES[letter]
        count = self.count(size)
        if not count:
            return ()
        values: tuple[int, ...] = struct.unpack_from(f">{count}{letter}", self._raw, self._at)
        self._at += count * size
        return values

    def values(self) -> tuple[bytes | None, ...]:
        """A counted array of counted values; None for NULL (length -1). In one loop, since most bytes come this way."""
        count, raw, end = self.count(4), self._raw, self._size
        at = self._at
        values: list[bytes | None] = []
        for _ in range(count):
            if end - at < INT32.size:
                raise self.refusal("message ends early")
            (size,) = INT32.unpack_from(raw, at)
            at += INT32.size
            if size == NULL_LENGTH:
                values.append(None)
                continue
            if not 0 <= size <= end - at:
                raise self.refusal("a length exceeds the message")
            values.append(raw[at : at + size])
            at += size
        self._at = at
        return tuple(values)

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        start = self._at
        if not 0 <= size <= self._size - start:
            raise self.refusal("a length exceeds the message")
        self._at = start + size
        return self._raw[start : self._at]

    def value(self) -> bytes | None:
        """A counted value; None for NULL (length -1)."""
        size = self.int32()
        return None if size == NULL_LENGTH else self.take(size)

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def string_bytes(self) -> bytes:
        """Up to a NUL, which is eaten."""
        stop = self._raw.find(b"\0", self._at)
        if stop < 0:
            raise self.refusal("a string has no end")
        start, self._at = self._at, stop + 1
        return self._raw[start:stop]

    def string(self) -> str:
        """A string in UTF-8. Raises ProtocolError(`wire.encoding`) for anything else."""
        try:
            return self.string_bytes().decode()
        except UnicodeDecodeError:
            raise ProtocolError("wire.encoding", "a string is not UTF-8") from None

    def loose_string(self) -> str:
        """A string of which only the readable part counts: text written by a server before its encoding is agreed."""
        return self.string_bytes().decode(errors="replace")

    def end(self) -> None:
        """Nothing may be left."""
        if self._at != self._size:
            raise self.refusal("bytes behind the end of the message")


def message(kind: bytes, *parts: bytes) -> bytes:
    """Put a type byte and the length before the parts."""
    content = b"".join(parts)
    return kind + UINT32.pack(4 + len(content)) + content


def text(value: str) -> bytes:
    """A string with its NUL. Raises ValueError when it holds one itself: it would end there for the other side."""
    encoded = value.encode()
    if b"\0" in encoded:
        raise ValueError("a string with NUL cannot be sent")
    return encoded + b"\0"
