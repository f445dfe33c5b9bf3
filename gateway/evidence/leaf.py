"""One leaf of the log: RFC 8785 JSON of at most 4 KiB, made of an event and of what only the recorder knows.

The fields of `Leaf` stand in the order of their names, so that writing them in order is canonical. Whatever an event
carries that is longer than a leaf is a body, stored beside the log and named here by its SHA-256; the salt keeps the
leaf from being guessed from its hash.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from gateway.core.events import Event, Who
from gateway.evidence.scrub import scrub_text, scrub_value

VERSION: Final = 1
MAX_LEAF: Final = 4096
"""bytes"""
SALT_SIZE: Final = 16
BODY_NAMES: Final = frozenset({"in", "out", "body"})
NAMED: Final = "sha256:"


class Leaf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """A leaf as it is written (`docs/reference/leaf.md`)."""

    act: str = ""
    body: str = ""
    bundle: str = ""
    catalog: str = ""
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    """small facts of this type of event; a text `sha256:…` names the body that holds them when they are too long"""
    did: str = ""
    engine: str = ""
    in_: str = msgspec.field(default="", name="in")
    mac: str = ""
    ok: bool
    out: str = ""
    outcome: str = ""
    plan: str = ""
    policy_digest: str = ""
    res: str = ""
    salt: str
    scrubbed: tuple[str, ...] = ()
    """parts in which a card number was found and blanked; never there unless something upstream is wrong"""
    seq: int
    """1, 2, 3 … within the session; the gateway's own leaves (no sid) are one series for each run of the log"""
    sid: str = ""
    t: str
    """nanoseconds since the epoch"""
    type: str
    v: int
    who: Who | None = None

    def bodies(self) -> dict[str, str]:
        """Name → hex sha256 of every body this leaf names, `data` included when it was moved out."""
        named = {"in": self.in_, "out": self.out, "body": self.body, "data": self.moved_data()}
        return {name: digest.removeprefix(NAMED) for name, digest in named.items() if digest}

    def moved_data(self) -> str:
        """`sha256:…` of the body that holds the facts; empty when they stand in the leaf."""
        if self.data is msgspec.UNSET or bytes(self.data)[:1] != b'"':
            return ""
        return msgspec.json.decode(self.data, type=str)

    def facts(self) -> dict[str, object]:
        """The small facts, when they stand in the leaf."""
        if isinstance(self.data, msgspec.UnsetType) or self.moved_data():
            return {}
        return msgspec.json.decode(self.data, type=dict[str, object])


class Draft(NamedTuple):
    """What the recorder adds to an event."""

    seq: int
    time_ns: int
    salt: bytes
    bodies: Mapping[str, str]
    """name → hex sha256, of the event's bodies"""
    scrubbed: tuple[str, ...] = ()
    """names of bodies in which something was blanked"""


class Made(NamedTuple):
    """An encoded leaf, and the body its facts were moved to if they did not fit."""

    leaf: bytes
    overflow: bytes | None = None


class LeafError(ValueError):
    """The event cannot be written as a leaf. The text says why and quotes nothing of it."""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Leaf)


def encode_leaf(leaf: Leaf) -> bytes:
    """Canonical bytes."""
    return _ENCODER.encode(leaf)


def decode_leaf(data: bytes) -> Leaf:
    """Read a leaf. Raises LeafError."""
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LeafError("not a leaf") from error


def make_leaf(event: Event, draft: Draft) -> Made:
    """The leaf of an event, card numbers blanked. Raises LeafError when it cannot be written within 4 KiB."""
    try:
        event, marks = _scrubbed_fields(event)
        data = scrub_value(event.data) if event.data else None
        leaf = _fill(event, draft, None if data is None else data.data)
        marks += [*draft.scrubbed, *["data"] * (data is not None and data.hit)]
        if marks:
            leaf = msgspec.structs.replace(leaf, scrubbed=tuple(sorted(marks)))
        encoded = _ENCODER.encode(leaf)
        if len(encoded) <= MAX_LEAF:
            return Made(encoded)
        if data is not None:
            moved = f'"{NAMED}{hashlib.sha256(data.data).hexdigest()}"'
            encoded = _ENCODER.encode(msgspec.structs.replace(leaf, data=msgspec.Raw(moved.encode())))
    except (ValueError, TypeError) as error:
        raise LeafError("the event is not plain data") from error
    if data is None or len(encoded) > MAX_LEAF:
        raise LeafError(f"the event does not fit into {MAX_LEAF} bytes")
    return Made(encoded, data.data)


def _fill(event: Event, draft: Draft, data: bytes | None) -> Leaf:
    bodies = {name: NAMED + digest for name, digest in draft.bodies.items()}
    return Leaf(
        act=event.act,
        body=bodies.get("body", ""),
        bundle=event.bundle,
        catalog=event.catalog,
        data=msgspec.UNSET if data is None else msgspec.Raw(data),
        did=event.did,
        engine=event.engine,
        in_=bodies.get("in", ""),
        mac=event.mac,
        ok=event.ok,
        out=bodies.get("out", ""),
        outcome=event.outcome,
        plan=event.plan,
        policy_digest=event.policy_digest,
        res=event.res,
        salt=f"b64:{base64.b64encode(draft.salt).decode('ascii')}",
        seq=draft.seq,
        sid=event.sid,
        t=str(draft.time_ns),
        type=event.type.value,
        v=VERSION,
        who=event.who,
    )


def _scrubbed_fields(event: Event) -> tuple[Event, list[str]]:
    """The event without card numbers in what a caller can choose (a name, a database), and where there were any."""
    who = event.who or Who(id="")
    chosen = (event.res, event.act, event.outcome, who.id, who.issuer, who.on_behalf_of)
    whole = "\n".join(chosen)
    if scrub_text(whole) == (whole, False):
        return event, []
    res, act, outcome, *identity = (scrub_text(text)[0] for text in chosen)
    clean = Who(id=identity[0], issuer=identity[1], on_behalf_of=identity[2]) if event.who else None
    cleaned = msgspec.structs.replace(event, res=res, act=act, outcome=outcome, who=clean)
    marks = [name for name in ("res", "act", "outcome", "who") if getattr(cleaned, name) != getattr(event, name)]
    return cleaned, marks
