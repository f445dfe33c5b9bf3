"""Leaves of every type, as the gateway writes them, for the formats."""

import msgspec

from gateway.core.events import Event, EventType, Who
from gateway.evidence.leaf import Draft, make_leaf
from gateway.evidence.sinks.formats import Style, Writer
from gateway.evidence.sinks.outgoing import Outgoing, Position
from gateway.evidence.sinks.sessions import Sessions
from tests.evidence.world import NOW, input_document

SID = "01993c1e-7d1b-7b1e-9f00-0d3f6a2b9c11"
DID = "01993c1e-7f02-7c44-8a10-5f1f0c7be001"
ORIGIN = "log.test/0011223344556677/1"
WHO = Who(id="refund-agent", issuer="https://idp.test", on_behalf_of="maria@example.com")
BUNDLE = f"sha256:{'b' * 64}"
BODIES = {
    "a" * 64: input_document("SELECT name FROM customers WHERE id = ?"),
    "c" * 64: b'{"outcome":"deny","reasons":[{"args":{},"code":"access.no_grant"}]}',
}
OPENING: dict[str, object] = {
    "application": "psql", "channel": "postgres", "client_ip": "10.1.2.3", "tls": True, "groups": ["agents", "eu"],
}  # fmt: skip


def leaf_of(event: Event, seq: int = 1, bodies: dict[str, str] | None = None) -> bytes:
    return make_leaf(event, Draft(seq, NOW + seq * 1_000_000, b"s" * 16, bodies or {})).leaf


def opened(ip: str = "10.1.2.3") -> bytes:
    data = {**OPENING, "client_ip": ip}
    return leaf_of(Event(type=EventType.SESSION_OPENED, sid=SID, who=WHO, res="payments", data=data))


def decided(outcome: str = "deny", act: str = "select", seq: int = 2) -> bytes:
    event = Event(
        type=EventType.STATEMENT_DECIDED, sid=SID, did=DID, who=WHO, res="payments", act=act,
        ok=outcome != "deny", outcome=outcome, bundle=BUNDLE, policy_digest=f"sha256:{'d' * 64}",
        engine="embedded/wasmtime-50.0.1", plan=f"sha256:{'e' * 64}",
        data={"phase": "execute", "refused": {"code": "access.no_grant", "message": "no"}} if outcome == "deny"
        else {"phase": "execute"},
    )  # fmt: skip
    return leaf_of(event, seq, {"in": "a" * 64, "out": "c" * 64})


def finished(outcome: str = "done", seq: int = 3) -> bytes:
    data: dict[str, object] = {"phase": "execute", "outcome": outcome, "rows": 12, "bytes": 480, "us": 2500}
    event = Event(
        type=EventType.STATEMENT_FINISHED, sid=SID, did=DID, res="payments", act="select", ok=outcome == "done",
        outcome=outcome, data=data,
    )  # fmt: skip
    return leaf_of(event, seq)


def plain(kind: EventType) -> bytes:
    """A leaf of any other type, with facts that many types have."""
    data: dict[str, object] = {"code": "x.y", "detail": "some words", "reason": "because", "by": "maria", "count": 3}
    sid = SID if kind.value.startswith(("session.", "message.", "recording.")) else ""
    return leaf_of(Event(type=kind, sid=sid, ok=not kind.value.endswith(("failed", "rejected")), data=data), 4)


def every_leaf() -> list[bytes]:
    """A session, decisions of each outcome and action, and each type at least once."""
    actions = ["select", "insert", "update", "delete", "merge", "truncate", "copy_out", "copy_in", "explain", "call",
               "create", "alter", "drop", "grant", "set", "show", "begin"]  # fmt: skip
    outcomes = ["allow", "mask", "deny", "require_approval"]
    return [
        opened(),
        *(decided(outcome, seq=3) for outcome in outcomes),
        *(decided("allow", action) for action in actions),
        finished(),
        finished("error"),
        *map(plain, EventType),
        opened("not an address"),
        decided(),
    ]


def body(_: int, digest: str) -> bytes | None:
    return BODIES.get(digest)


def events(kind: str, leaves: list[bytes], *, bodies: bool = False, limit: int = 1 << 20) -> list[Outgoing]:
    writer = Writer(Style(kind, bodies, limit), body, Sessions())
    return [writer.write(ORIGIN, Position(1, at), leaf) for at, leaf in enumerate(leaves, 40)]


def documents(kind: str, leaves: list[bytes], *, bodies: bool = False) -> list[dict[str, object]]:
    return [msgspec.json.decode(event.payload, type=dict[str, object]) for event in events(kind, leaves, bodies=bodies)]
