"""What is recorded of people at the auditor's desk: by the gateway that runs, or by the command when none does."""

from gateway.core.events import Event, EventType, Who
from gateway.policy.orders import Accessed, Order, Reviewed, Shred


def reading_event(order: Order, command: Accessed | Shred | Reviewed) -> Event:
    """What is recorded of a person at the auditor's desk."""
    match command:
        case Shred():
            return shred_event(order, command)
        case Reviewed():
            return review_event(order, command)
        case Accessed():
            return access_event(order, command)


def review_event(order: Order, command: Reviewed) -> Event:
    """What is recorded of a person who has looked at a day."""
    data: dict[str, object] = {"order": order.id, "reason": order.reason}
    data |= {name: getattr(command, name) for name in ("day", "until", "digest", "detections")}
    who = Who(id=order.by, on_behalf_of=command.person)
    return Event(type=EventType.REVIEW_SIGNED, who=who, act="sign-off", data=data, durable=True)


def shred_event(order: Order, command: Shred) -> Event:
    """What is recorded before a recording's key is destroyed."""
    data: dict[str, object] = {"order": order.id, "session": command.session, "reason": order.reason}
    if command.legal:
        data["legal"] = command.legal
    who = Who(id=order.by, on_behalf_of=command.person)
    return Event(type=EventType.RECORDING_SHREDDED, who=who, act="shred", data=data, durable=True)


def access_event(order: Order, command: Accessed) -> Event:
    """What is recorded of a person who read evidence."""
    data: dict[str, object] = {"order": order.id, "arguments": dict(command.arguments)}
    if command.results is not None:
        data["results"] = command.results
    who = Who(id=order.by, on_behalf_of=command.person)
    return Event(type=EventType.EVIDENCE_ACCESSED, who=who, act=command.what, data=data, durable=True)
