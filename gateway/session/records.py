"""What is written about a session and its statements. Pure: facts in, events out."""

import hashlib

from gateway.core.events import Event, EventType
from gateway.core.principal import Json
from gateway.core.verdict import Outcome
from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Settled, Task
from gateway.session.traveller import Traveller
from gateway.sql.tokens import redact

_CHANGING = frozenset({"write", "ddl", "dcl", "procedure", "admin"})


def decided(ruling: Ruling, phase: Phase, traveller: Traveller, mark: str = "") -> Event:
    """The record that stands before a statement is forwarded (`evidence.md`, Write path).

    `mark` is the decision id in front of the text that brings it to the server: its own is not written out.
    """
    verdict, statement = ruling.verdict, ruling.understood.statement
    data: dict[str, object] = {"phase": phase.value}
    if statement.count > 1:
        data["count"] = statement.count
    if mark not in {"", ruling.did} and not ruling.refusal:
        data["mark"] = mark
    if verdict.shadow is not None:
        said = {"bundle": _named("sha256", verdict.shadow.bundle_sha256), "outcome": verdict.shadow.outcome}
        differs = {"change": verdict.shadow.change, "codes": list(verdict.shadow.codes)}
        data["shadow"] = {**said, **differs} if verdict.shadow.change else said
    if ruling.refusal:
        data["refused"] = {"code": ruling.refusal.code, "message": ruling.refusal.message}
    return Event(
        type=EventType.STATEMENT_DECIDED,
        sid=traveller.sid,
        did=ruling.did,
        who=traveller.who,
        res=traveller.connection,
        act=statement.action,
        ok=ruling.outcome is not Outcome.DENY,
        outcome=ruling.outcome.value,
        bundle=_named("sha256", verdict.bundle_sha256),
        policy_digest=_named("sha256", verdict.policy_digest),
        engine=verdict.engine,
        catalog=_named("sha256", ruling.ground.catalog.sha256),
        plan=_named("sha256", _plan_hash(ruling)),
        data=data,
        bodies=_bodies(ruling),
        durable=_durable(ruling, phase),
    )


def finished(task: Task, how: Settled, traveller: Traveller, now_ns: int) -> Event:
    """The record that closes a statement: what the agent received."""
    data: dict[str, object] = {
        "phase": task.phase.value,
        "outcome": how.value,
        "rows": task.rows,
        "bytes": task.bytes,
        "us": (now_ns - task.started_ns) // 1000,
    }
    said = {"error": task.error, "tag": task.tag, "limit": task.over}
    data |= {name: value for name, value in said.items() if value}
    if task.blanked:
        data["blanked"] = task.blanked
    if task.ruling.plan and task.ruling.plan.masked:
        data["masked"] = [f"{m.schema}.{m.relation}.{m.column}" for m in task.ruling.plan.masked]
    return Event(
        type=EventType.STATEMENT_FINISHED,
        sid=traveller.sid,
        did=task.ruling.did,
        res=traveller.connection,
        act=task.ruling.understood.statement.action,
        ok=how in {Settled.DONE, Settled.SUSPENDED},
        outcome=how.value,
        data=data,
    )


def opened(traveller: Traveller) -> Event:
    """The first record of a session."""
    data: dict[str, object] = {
        "application": traveller.application,
        "channel": traveller.channel,
        "client_ip": traveller.client_ip,
        "tls": traveller.tls,
        "groups": list(traveller.principal.groups),
        "expires_at": traveller.principal.expires_at,
    }
    return _plain(EventType.SESSION_OPENED, traveller, data)


def closed(traveller: Traveller, reason: str, counts: dict[str, Json]) -> Event:
    """The last record of a session: why it ended, how much it did, and what was recorded of it."""
    return _plain(EventType.SESSION_CLOSED, traveller, {"reason": reason, **counts})


def message_refused(traveller: Traveller, code: str, detail: str) -> Event:
    """A message that is no statement and was not let through."""
    data: dict[str, object] = {"code": code, "detail": detail}
    return _plain(EventType.MESSAGE_REFUSED, traveller, data, ok=False)


def _plain(kind: EventType, traveller: Traveller, data: dict[str, object], *, ok: bool = True) -> Event:
    return Event(type=kind, sid=traveller.sid, who=traveller.who, res=traveller.connection, ok=ok, data=data)


def _durable(ruling: Ruling, phase: Phase) -> bool:
    """Statements that touch labelled data, write or define wait for the disk; planning one touches nothing."""
    if ruling.refusal or phase is Phase.PARSE:
        return False
    return ruling.labelled or ruling.understood.statement.category in _CHANGING


def _bodies(ruling: Ruling) -> dict[str, bytes]:
    bodies = {"in": ruling.verdict.input, "out": ruling.verdict.output}
    return {name: body for name, body in bodies.items() if body}


def _plan_hash(ruling: Ruling) -> str:
    if ruling.plan is None:
        return ""
    if ruling.plan.text == ruling.understood.text:
        return ruling.understood.statement.sha256
    return hashlib.sha256(redact(ruling.plan.text).encode()).hexdigest()


def _named(algorithm: str, digest: str) -> str:
    return f"{algorithm}:{digest}" if digest else ""
