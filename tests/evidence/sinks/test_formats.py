"""The same leaf gives the same bytes, bodies only when asked for, and every event carries its id."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.leaf import LeafError
from gateway.evidence.sinks.formats import FORMATS, Style, Writer
from gateway.evidence.sinks.outgoing import Position
from gateway.evidence.sinks.sessions import Sessions
from tests.evidence.sinks.leaves import ORIGIN, body, decided, documents, events, every_leaf, opened


@pytest.mark.parametrize("kind", FORMATS)
def test_an_event_is_the_same_however_often_it_is_written_and_has_its_id(kind: str) -> None:
    first, second = events(kind, every_leaf()), events(kind, every_leaf())
    assert [event.payload for event in first] == [event.payload for event in second]
    assert [event.id for event in first] == [f"{ORIGIN}#{number}" for number in range(40, 40 + len(first))]
    assert all(event.id.replace("=", "\\=").encode() in event.payload for event in first)
    assert not any(b"\n" in event.payload for event in first)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_statement_leaves_the_gateway_only_when_bodies_are_asked_for(kind: str) -> None:
    (without,), (with_bodies,) = events(kind, [decided()]), events(kind, [decided()], bodies=True)
    assert b"FROM customers" not in without.payload
    assert b"FROM customers" in with_bodies.payload


@pytest.mark.parametrize("kind", ["ocsf", "ecs", "raw"])
def test_bodies_that_make_an_event_too_long_are_left_out_and_it_says_so(kind: str) -> None:
    (without,) = events(kind, [decided()])
    (event,) = events(kind, [decided()], bodies=True, limit=len(without.payload) + 60)
    assert b"FROM customers" not in event.payload
    assert b"bodies_omitted" in event.payload


def test_the_raw_leaf_is_byte_for_byte_what_the_tree_was_hashed_from() -> None:
    (event,) = events("raw", [decided()])
    assert (
        hashlib.sha256(b"\x00" + decided()).digest()
        == hashlib.sha256(b"\x00" + event.payload.partition(b'"leaf":')[2][:-1]).digest()
    )


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"v":1}', b"\xff", b'{"surprise":1}'])
def test_what_is_no_leaf_is_an_error_and_not_an_event(data: bytes) -> None:
    writer = Writer(Style("ocsf", bodies=False, limit=9999), body, Sessions())
    with pytest.raises(LeafError):
        writer.write(ORIGIN, Position(1, 0), data)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_writer(data: bytes) -> None:
    writer = Writer(Style("cef", bodies=True, limit=9999), body, Sessions())
    with pytest.raises(LeafError):
        writer.write(ORIGIN, Position(1, 0), data)


def test_ecs_says_who_what_and_how_it_ended() -> None:
    session, event = documents("ecs", [opened(), decided()])
    assert event["@timestamp"] == "2030-03-17T17:46:40.002000000Z"
    assert event["user"] == {
        "id": "refund-agent", "name": "refund-agent", "domain": "https://idp.test",
        "effective": {"id": "maria@example.com", "name": "maria@example.com"},
    }  # fmt: skip
    assert event["source"] == {"ip": "10.1.2.3"}
    said = event["event"]
    assert isinstance(said, dict)
    assert (said["category"], said["type"], said["outcome"]) == (["database"], ["access", "denied"], "failure")
    assert said["code"] == "access.no_grant"
    opening = session["event"]
    assert isinstance(opening, dict)
    assert (opening["category"], opening["type"]) == (["authentication"], ["start"])


ALLOWED_ECS = {
    "kind": {"alert", "asset", "enrichment", "event", "metric", "pipeline_error", "signal", "state"},
    "category": {"api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam",
                 "intrusion_detection", "library", "malware", "network", "package", "process", "registry", "session",
                 "threat", "vulnerability", "web"},
    "type": {"access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device", "end",
             "error", "group", "indicator", "info", "installation", "protocol", "start", "user"},
    "outcome": {"failure", "success", "unknown"},
}  # fmt: skip
"""the values ECS allows its categorisation fields (Elastic's reference, "Categorization fields")"""


def test_ecs_uses_only_the_values_that_its_categories_allow() -> None:
    for event in documents("ecs", every_leaf()):
        said = event["event"]
        assert isinstance(said, dict)
        for name, allowed in ALLOWED_ECS.items():
            values = said[name] if isinstance(said[name], list) else [said[name]]
            assert set(values) <= allowed
