"""What a session said when it opened is known beside its statements, and forgotten when it ends."""

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.sinks import sessions as module
from gateway.evidence.sinks.sessions import NOBODY, Sessions
from tests.evidence.sinks.leaves import SID, decided, leaf_of, opened

CLOSED = decode_leaf(leaf_of(Event(type=EventType.SESSION_CLOSED, sid=SID)))


def test_a_statement_knows_where_its_session_came_from() -> None:
    known = Sessions()
    assert known.see(decode_leaf(decided())) is NOBODY
    seen = known.see(decode_leaf(opened()))
    assert (seen.ip, seen.application, seen.user, seen.groups) == ("10.1.2.3", "psql", "refund-agent", ("agents", "eu"))
    assert known.see(decode_leaf(decided())) == seen
    assert known.see(CLOSED) == seen
    assert known.see(decode_leaf(decided())) is NOBODY


def test_a_snapshot_goes_on_from_where_it_was_taken() -> None:
    known = Sessions()
    known.see(decode_leaf(opened()))
    again = Sessions(known.snapshot())
    known.see(CLOSED)
    assert again.see(decode_leaf(decided())).ip == "10.1.2.3"


def test_a_new_epoch_forgets_the_sessions_before_it() -> None:
    known = Sessions()
    known.see(decode_leaf(opened()))
    known.see(decode_leaf(leaf_of(Event(type=EventType.LOG_OPENED, data={"size": 0}))))
    assert known.snapshot()
    known.see(decode_leaf(leaf_of(Event(type=EventType.LOG_OPENED, data={"previous": {"size": 5}}))))
    assert known.snapshot() == {}


def test_no_more_sessions_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    known = Sessions()
    for number in range(9):
        known.see(decode_leaf(leaf_of(Event(type=EventType.SESSION_OPENED, sid=f"s{number}"))))
    assert list(known.snapshot()) == ["s6", "s7", "s8"]
