"""Events: what a leaf may say."""

import pytest

from gateway.core.events import Event, EventType, Who


def test_an_event_that_says_nothing_about_durability_may_wait_for_the_next_sync() -> None:
    assert not Event(type=EventType.HEARTBEAT).durable


def test_two_events_share_no_mutable_default() -> None:
    one, other = Event(type=EventType.HEARTBEAT), Event(type=EventType.HEARTBEAT)
    assert one.data is not other.data
    assert one.bodies is not other.bodies


def test_an_event_cannot_be_changed_after_it_was_made() -> None:
    with pytest.raises(AttributeError):
        Event(type=EventType.HEARTBEAT, who=Who(id="a")).ok = False  # type: ignore[misc]  # the point of the test


def test_event_types_are_two_dotted_words_or_one() -> None:
    assert [kind for kind in EventType if not kind.replace(".", "_").isidentifier()] == []
