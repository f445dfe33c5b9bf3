"""Looks through a stream of bytes for card numbers, chunk by chunk: where each stands, never what it is."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from gateway.core.disguised import Kind, find_any

CHUNK: Final = 1 << 20
OVERLAP: Final = 1024
"""bytes of a chunk that are looked at again with the next: more than any form of one number takes"""


class Place(NamedTuple):
    """Where something that looks like a card number stands in a stream."""

    offset: int
    length: int
    kind: Kind


def places(chunks: Iterable[bytes], *, wire: bool = False) -> Iterator[Place]:
    """Every place, in order, whatever the sizes of the chunks. `wire`: they are messages of PostgreSQL's protocol."""
    held, start = b"", 0
    for chunk in chunks:
        data = held + chunk
        if len(data) < CHUNK:
            held = data
            continue
        # What stands in the overlap is left to the next look, which sees it whole.
        edge = len(data) - OVERLAP
        yield from _found(data, start, edge, first=start == 0, wire=wire)
        held, start = data[edge - OVERLAP :], start + edge - OVERLAP
    yield from _found(held, start, len(held), first=start == 0, wire=wire)


def _found(data: bytes, start: int, edge: int, *, first: bool, wire: bool) -> Iterator[Place]:
    """Places that begin before `edge` and, but in the first look, behind what the look before has answered for."""
    since = 0 if first else OVERLAP
    for hit in find_any(data, wire=wire):
        if since <= hit.start < edge:
            yield Place(start + hit.start, hit.end - hit.start, hit.kind)
