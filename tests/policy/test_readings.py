"""What a person did at the auditor's desk is recorded with who, what and why, durably."""

from gateway.core.events import EventType, Who
from gateway.policy.orders import Accessed, Command, Order, Reviewed, Shred
from gateway.policy.readings import reading_event

ID = "01a2113f-ef77-7fef-bf71-010a699f64e4"


def order(command: Command) -> Order:
    return Order(id=ID, by="maria", reason="why", at="t", command=command)


def test_each_reading_has_its_event() -> None:
    accessed = Accessed(what="search", arguments={"label": "pan"}, results=0, person="eve")
    event = reading_event(order(accessed), accessed)
    assert (event.type, event.act, event.durable) == (EventType.EVIDENCE_ACCESSED, "search", True)
    assert event.who == Who(id="maria", on_behalf_of="eve")
    assert event.data == {"order": ID, "arguments": {"label": "pan"}, "results": 0}
    shred = Shred(session="s", legal="a court's order", person="eve")
    event = reading_event(order(shred), shred)
    assert (event.type, event.durable) == (EventType.RECORDING_SHREDDED, True)
    assert event.data == {"order": ID, "session": "s", "reason": "why", "legal": "a court's order"}
    assert "legal" not in reading_event(order(Shred(session="s")), Shred(session="s")).data
    review = Reviewed(day="2026-11-25", until="2026-11-26T00:00:00Z", digest="sha256:x", detections=2)
    event = reading_event(order(review), review)
    assert (event.type, event.data["day"], event.data["reason"]) == (EventType.REVIEW_SIGNED, "2026-11-25", "why")
