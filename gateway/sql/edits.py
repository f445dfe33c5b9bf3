"""Replacing spans of a text while everything else stays byte for byte, and finding the way back for error positions."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from gateway.core.errors import Refused


class Edit(NamedTuple):
    """`text` in the place of the bytes from `start` to `stop`. An insertion has both equal."""

    start: int
    stop: int
    text: str


class Segment(NamedTuple):
    """A run of the new text, offsets in bytes. `made`: written by the gateway; else the original from `source` on."""

    start: int
    stop: int
    source: int
    made: bool


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """A text after its edits."""

    text: str
    segments: tuple[Segment, ...]

    def origin(self, offset: int) -> int | None:
        """The original byte offset of a byte the agent wrote; None inside what the gateway wrote."""
        for segment in self.segments:
            if segment.start <= offset < segment.stop:
                return None if segment.made else segment.source + offset - segment.start
        return None


def apply(source: bytes, edits: Iterable[Edit]) -> Edited:
    """Make every edit. Insertions at one place keep the order they were given in. Raises Refused when two overlap."""
    parts: list[bytes] = []
    segments: list[Segment] = []
    at = length = 0

    def add(piece: bytes, origin: int, *, made: bool) -> None:
        nonlocal length
        if piece:
            parts.append(piece)
            segments.append(Segment(length, length + len(piece), origin, made))
            length += len(piece)

    for edit in sorted(edits, key=lambda edit: (edit.start, edit.stop)):
        if edit.start < at:
            raise Refused("statement.cannot_rewrite", "two changes overlap")
        add(source[at : edit.start], at, made=False)
        add(edit.text.encode(), edit.start, made=True)
        at = edit.stop
    add(source[at:], at, made=False)
    return Edited(text=b"".join(parts).decode(), segments=tuple(segments))


def original_position(edited: Edited, source: str, position: int) -> int | None:
    """The 1-based character of `source` that a 1-based character of the new text stands for.

    Characters the gateway wrote stand for the first character they replaced. One behind the end is a position too.
    """
    if not 1 <= position <= len(edited.text) + 1:
        return None
    offset = len(edited.text[: position - 1].encode())
    raw = source.encode()
    for segment in edited.segments:
        if segment.start <= offset < segment.stop:
            origin = segment.source if segment.made else segment.source + offset - segment.start
            return len(raw[:origin].decode(errors="ignore")) + 1
    return len(source) + 1
