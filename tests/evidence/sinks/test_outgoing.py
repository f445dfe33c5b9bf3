"""An event says how grave it is, where it stands, and what it is as JSON."""

import msgspec
import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.sinks.outgoing import Position, event_id, grave
from tests.evidence.sinks.leaves import ORIGIN, decided, events, finished, leaf_of


@pytest.mark.parametrize(
    ("leaf", "wanted"),
    [(decided("allow"), 1), (decided("mask"), 1), (decided("deny"), 2), (finished("error"), 1),
     (leaf_of(Event(type=EventType.AUTH_FAILED, ok=False)), 3),
     (leaf_of(Event(type=EventType.SINK_FAILED, ok=False)), 3),
     (leaf_of(Event(type=EventType.LOG_DEGRADED, ok=False)), 4),
     (leaf_of(Event(type=EventType.HEARTBEAT, data={"x": "4111111111111111"})), 4)],
)  # fmt: skip
def test_what_is_worse_is_graver(leaf: bytes, wanted: int) -> None:
    assert grave(decode_leaf(leaf)) == wanted


def test_an_event_knows_its_place_and_the_next() -> None:
    (event,) = events("raw", [decided()])
    assert event.after == Position(1, 41)
    assert event.id == event_id(ORIGIN, 40)


def test_a_payload_that_is_no_json_becomes_a_text_of_json() -> None:
    (raw,), (cef,) = events("raw", [decided()]), events("cef", [decided()])
    assert bytes(raw.as_json()) == raw.payload
    assert msgspec.json.decode(cef.as_json()) == cef.payload.decode()
