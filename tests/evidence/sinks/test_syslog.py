"""Messages are RFC 5424, in the counted frames of RFC 5425."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import EventType
from gateway.evidence.sinks.syslog import counted, host_name, message
from tests.evidence.sinks.leaves import decided, events, every_leaf, plain

_NAME = r"[!-~]{1,%d}"
MESSAGE = re.compile(
    r"<(?P<pri>[0-9]{1,3})>1 (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z) "
    rf"(?P<host>{_NAME % 255}) (?P<app>{_NAME % 48}) (?P<proc>{_NAME % 128}) (?P<id>{_NAME % 32}) "
    r"(?P<data>(\[[!-~]{1,32}( [!-~]{1,32}=\"[^\"\]\\]*\")*\])+) (?P<text>.*)",
    re.DOTALL,
)
"""the grammar of §6"""


def test_every_event_is_a_message_by_the_grammar() -> None:
    for event in events("ocsf", every_leaf()):
        found = MESSAGE.fullmatch(message(event, 13, "gateway.example").decode())
        assert found is not None
        assert found["text"].encode() == event.payload
        assert found["id"] == event.leaf.type
        assert found["host"] == "gateway.example"


@pytest.mark.parametrize(
    ("leaf", "facility", "priority"),
    [(decided("allow"), 13, 110), (decided("deny"), 13, 109), (plain(EventType.AUTH_FAILED), 4, 36),
     (plain(EventType.LOG_DEGRADED), 0, 3)],
)  # fmt: skip
def test_the_priority_is_facility_and_severity(leaf: bytes, facility: int, priority: int) -> None:
    (event,) = events("raw", [leaf])
    assert message(event, facility, "").startswith(f"<{priority}>1 ".encode())
    assert b" - querywarden - " in message(event, facility, "")


@given(st.binary(max_size=500))
def test_a_frame_says_how_long_it_is(data: bytes) -> None:
    length, _, rest = counted(data).partition(b" ")
    assert (int(length), rest) == (len(data), data)


@given(st.text())
def test_a_host_name_fits_its_field(text: str) -> None:
    assert re.fullmatch(r"[!-~]{0,255}", host_name(text))
