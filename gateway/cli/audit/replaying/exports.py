"""A recording as lines: a JSON document a message (JSONL), or a terminal's output that players show (asciicast v2)."""

from collections.abc import Iterable, Iterator

import msgspec

from gateway.cli.audit.replaying.blocks import Block
from gateway.cli.audit.replaying.messages import Reading
from gateway.cli.audit.replaying.stream import Event, Noted
from gateway.cli.audit.words import json_line
from gateway.evidence.recording.format import Header

WIDTH, HEIGHT = 120, 40
"""of the terminal that an asciicast plays in"""


def as_lines(events: Iterable[Event]) -> Iterator[bytes]:
    """JSON documents: what was sent, received, and noted. Printed on a terminal they move nothing there."""
    reading, decisions = Reading(), dict[int, str]()
    for event in events:
        shown: dict[str, object] = {"t": event.t_ns / 1e9}
        if isinstance(event, Noted):
            decisions[event.statement] = event.note.did
            shown |= {"from": "record", "statement": event.statement, **msgspec.to_builtins(event.note)}
        else:
            shown |= {"from": "agent" if event.sent else "gateway", **reading.read(event)}
            if event.statement:
                shown |= {"statement": event.statement, "did": decisions.get(event.statement, "")}
        yield json_line(shown).encode()


def as_cast(blocks: Iterable[Block], header: Header, idle: float) -> Iterator[bytes]:
    """Version 2 of asciicast: a header, then `[seconds, "o", text]`. Players cut silences longer than `idle` s."""
    front: dict[str, object] = {
        "version": 2,
        "width": WIDTH,
        "height": HEIGHT,
        "timestamp": int(header.started) // 10**9,
    }
    front |= {"title": f"session {header.sid}", "idle_time_limit": idle, "env": {"TERM": "xterm-256color"}}
    yield msgspec.json.encode(front) + b"\n"
    now = 0
    for block in blocks:
        now = max(now, block.t_ns)
        yield msgspec.json.encode([round(now / 1e9, 6), "o", block.text.replace("\n", "\r\n")]) + b"\n"
