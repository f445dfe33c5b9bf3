"""From a leaf to the bytes a receiver gets: as it is, or as OCSF, ECS or CEF; with its bodies only when asked for."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeAlias

import msgspec

from gateway.core.principal import Json
from gateway.evidence.leaf import Leaf, decode_leaf
from gateway.evidence.sinks import cef, ecs, ocsf
from gateway.evidence.sinks.facts import Facts
from gateway.evidence.sinks.outgoing import Outgoing, Position, event_id
from gateway.evidence.sinks.sessions import Sessions

FORMATS: Final = ("ocsf", "ecs", "cef", "raw")
OMITTED: Final = "bodies_omitted"
_ENCODER: Final = msgspec.json.Encoder()

Bodies: TypeAlias = Callable[[int, str], bytes | None]
"""epoch and hex digest → a stored body"""


class Style(NamedTuple):
    """What is said, and how long it may be."""

    format: str
    bodies: bool
    limit: int
    """bytes of one event; bodies that would make it longer are left out, and the event says so"""


class Writer:
    """Writes the events of one sink, in the order of the log."""

    def __init__(self, style: Style, bodies: Bodies, sessions: Sessions) -> None:
        self._style = style
        self._bodies = bodies
        self.sessions = sessions

    def write(self, origin: str, position: Position, data: bytes) -> Outgoing:
        """One leaf as an event. Raises LeafError when it is none, ValueError and OSError when a body is damaged."""
        leaf = decode_leaf(data)
        facts = Facts(
            id=event_id(origin, position.number),
            origin=origin,
            at=position.number,
            leaf=leaf,
            seen=self.sessions.see(leaf),
            facts=self._facts(position.epoch, leaf),
        )
        payload = self._said(facts, data)
        if self._style.bodies and (bodies := self._documents(position.epoch, leaf)):
            longer = self._said(facts._replace(bodies=bodies), data)
            omitted = facts._replace(bodies={OMITTED: True})
            payload = longer if len(longer) <= self._style.limit else self._said(omitted, data)
        return Outgoing(facts.id, position, leaf, payload)

    def _said(self, facts: Facts, data: bytes) -> bytes:
        match self._style.format:
            case "ocsf":
                return _ENCODER.encode(ocsf.event(facts))
            case "ecs":
                return _ENCODER.encode(ecs.event(facts))
            case "cef":
                return cef.line(facts).encode()
        return _ENCODER.encode(_raw(facts, data))

    def _facts(self, epoch: int, leaf: Leaf) -> Mapping[str, object]:
        """The leaf's small facts, also when they were too long for it and became a body."""
        moved = leaf.moved_data()
        if not moved:
            return leaf.facts()
        body = self._bodies(epoch, moved.removeprefix("sha256:"))
        return msgspec.json.decode(body, type=dict[str, object]) if body else {}

    def _documents(self, epoch: int, leaf: Leaf) -> dict[str, Json]:
        """The bodies a leaf names, as JSON where they are JSON; those that are gone are left out."""
        found: dict[str, Json] = {}
        for name, digest in leaf.bodies().items():
            body = self._bodies(epoch, digest) if name != "data" else None
            if body is not None:
                try:
                    found[name] = msgspec.json.decode(body)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
        return found


def _raw(facts: Facts, data: bytes) -> dict[str, Json]:
    """The leaf byte for byte, so that its hash can be computed; what is beside it stands beside it."""
    said: dict[str, Json] = {
        "id": facts.id,
        "origin": facts.origin,
        "index": facts.at,
        "leaf": msgspec.Raw(data),
    }
    return {**said, "bodies": facts.bodies} if facts.bodies else said
