"""Events of the Open Cybersecurity Schema Framework, version 1.8.0 (schema.ocsf.io).

Statements are Datastore Activity (6005), sessions and logins Authentication (3002), what is in force Entity Management
(3004), the log itself Application Lifecycle (6002) or Application Error (6008); anything else is a Base Event, so that
a new type of leaf is never left out. The profile `security_control` carries the verdict and the policy it came from.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from gateway.core.principal import Json
from gateway.evidence.sinks.facts import PRODUCT, VERSION, Facts, filled
from gateway.evidence.sinks.outgoing import grave

OCSF_VERSION: Final = "1.8.0"
_OTHER: Final = 99

_ACTIVITIES: Final = {
    "select": (4, "Query"), "explain": (4, "Query"), "show": (1, "Read"), "copy_out": (1, "Read"),
    "insert": (5, "Write"), "copy_in": (5, "Write"), "update": (2, "Update"), "merge": (2, "Update"),
    "alter": (2, "Update"), "create": (6, "Create"), "delete": (7, "Delete"), "truncate": (7, "Delete"),
    "drop": (7, "Delete"),
}  # fmt: skip
"""action of a statement → activity of 6005; others are Other, and say the action"""
_VERDICTS: Final = {"allow": (1, 1), "mask": (4, 1), "deny": (2, 2), "require_approval": (_OTHER, 14)}
"""outcome of a decision → action_id and disposition_id of `security_control`: what is masked is Modified and Allowed"""
_SEVERITIES: Final = {1: (1, "Informational"), 2: (2, "Low"), 3: (3, "Medium"), 4: (4, "High")}


class _Class(NamedTuple):
    """A class of events with its category, and what a leaf adds to it."""

    uid: int
    name: str
    category: int
    part: Callable[[Facts], dict[str, Json]]


def event(facts: Facts) -> dict[str, Json]:
    """The event of one leaf."""
    leaf = facts.leaf
    of = _class_of(leaf.type)
    activity, activity_name = _activity(facts, of.uid)
    severity, severity_name = _SEVERITIES[grave(leaf)]
    said: dict[str, Json] = {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": of.category,
        "class_name": of.name,
        "class_uid": of.uid,
        "message": facts.sentence(),
        "metadata": _metadata(facts),
        "severity": severity_name,
        "severity_id": severity,
        "status": "Success" if leaf.ok else "Failure",
        "status_id": 1 if leaf.ok else 2,
        "time": int(leaf.t) // 1_000_000,
        "type_uid": of.uid * 100 + activity,
    }
    detail: dict[str, Json] = filled(status_code=facts.code, status_detail=facts.text("detail") or facts.text("reason"))
    return {**said, **detail, **_control(facts), **of.part(facts), **filled(unmapped=_unmapped(facts))}


def _metadata(facts: Facts) -> dict[str, Json]:
    return {
        "event_code": facts.leaf.type,
        "log_name": facts.origin,
        "original_time": facts.leaf.t,
        "product": {"name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION},
        "profiles": ["security_control"],
        "sequence": facts.at,
        "uid": facts.id,
        "version": OCSF_VERSION,
        **filled(correlation_uid=facts.leaf.did or facts.leaf.sid),
    }


def _activity(facts: Facts, class_uid: int) -> tuple[int, str]:
    leaf = facts.leaf
    match class_uid:
        case 6005:
            return _ACTIVITIES.get(leaf.act, (_OTHER, leaf.act or leaf.type))
        case 3002:
            return (2, "Logoff") if leaf.type == "session.closed" else (1, "Logon")
        case 3004 | 6002:
            return _MANAGED.get(leaf.type, (_OTHER, leaf.type))
        case 6008:
            return 1, "General Error"
    return _OTHER, leaf.type


_MANAGED: Final = {
    "bundle.activated": (10, "Activate"), "bundle.rolled_back": (10, "Activate"), "policy.stopped": (12, "Suspend"),
    "policy.stop_lifted": (13, "Resume"), "config.loaded": (3, "Update"), "evidence.accessed": (2, "Read"),
    "log.opened": (3, "Start"), "log.closed": (4, "Stop"),
}  # fmt: skip


def _control(facts: Facts) -> dict[str, Json]:
    """The verdict, and the policy that gave it."""
    leaf = facts.leaf
    said: dict[str, Json] = {}
    if leaf.type == "statement.decided":
        action, disposition = _VERDICTS.get(leaf.outcome, (0, 0))
        said = {"action_id": action, "disposition_id": disposition}
        if action == _OTHER:
            said["action"] = "Held for approval"
    elif leaf.type in {"auth.failed", "message.refused"}:
        said = {"action_id": 2, "disposition_id": 2}
    if leaf.bundle:
        said["policy"] = filled(uid=leaf.bundle, name="policy bundle", is_applied=True, version=facts.text("revision"))
    return said


def _datastore(facts: Facts) -> dict[str, Json]:
    leaf = facts.leaf
    relations = facts.relations
    query: dict[str, Json] = filled(query_string=facts.statement, uid=leaf.plan or leaf.did) if facts.statement else {}
    us = facts.number("us")
    return {
        "actor": _actor(facts),
        "database": {"name": leaf.res or "unknown", "type_id": 1, "type": "Relational"},
        "src_endpoint": _source(facts),
        "type_id": 1,
        **filled(query_info=query, table={"name": relations[0]} if len(relations) == 1 else {}),
        **({} if us is None else {"duration": us // 1000}),
    }


def _authentication(facts: Facts) -> dict[str, Json]:
    leaf = facts.leaf
    user = _user(facts) or {"name": "unknown", "type_id": 0}
    session: dict[str, Json] = filled(uid=leaf.sid, issuer=facts.issuer)
    tls = facts.facts.get("tls")
    return {
        "actor": _actor(facts),
        "is_remote": True,
        "logon_type_id": 3,
        "service": {"name": leaf.res or PRODUCT},
        "src_endpoint": _source(facts),
        "user": user,
        **filled(session=session if leaf.sid else {}),
        **({"is_cleartext": not tls} if isinstance(tls, bool) else {}),
    }


def _entity(facts: Facts) -> dict[str, Json]:
    kind = facts.leaf.type.partition(".")[0]
    uid = facts.leaf.bundle or facts.text("target") or facts.origin
    type_id, name = (5, "Policy") if kind in {"bundle", "policy"} else (_OTHER, kind)
    return {"actor": _actor(facts), "entity": {"name": kind, "type": name, "type_id": type_id, "uid": uid}}


def _lifecycle(facts: Facts) -> dict[str, Json]:
    return {"app": {"name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION, "uid": facts.origin}}


def _nothing(_: Facts) -> dict[str, Json]:
    return {}


def _actor(facts: Facts) -> dict[str, Json]:
    """Who did it. What the gateway does by itself is its own application's doing."""
    user, sid = _user(facts), facts.leaf.sid
    session: dict[str, Json] = filled(uid=sid, issuer=facts.issuer) if sid else {}
    return filled(user=user, session=session, app_name=facts.application) or {"app_name": PRODUCT}


def _user(facts: Facts) -> dict[str, Json]:
    name = facts.user or facts.text("by")
    if not name:
        return {}
    groups: list[Json] = [{"name": group} for group in facts.seen.groups if group]
    return filled(name=name, uid=name, domain=facts.issuer, groups=groups, type_id=4 if facts.issuer else 1)


def _source(facts: Facts) -> dict[str, Json]:
    return filled(ip=facts.ip) or {"name": "unknown"}


def _unmapped(facts: Facts) -> dict[str, Json]:
    """What no attribute says: small numbers and hashes by which the rest is found in the log."""
    leaf = facts.leaf
    names = ("phase", "rows", "bytes", "cells", "tag", "count", "blanked", "masked", "channel", "what", "sink", "cause")
    kept: dict[str, Json] = {name: facts.facts[name] for name in names if name in facts.facts}
    hashes = filled(**{"in": leaf.in_, "out": leaf.out, "plan": leaf.plan, "catalog": leaf.catalog})
    return {
        **filled(decision=leaf.did, outcome=leaf.outcome, on_behalf_of=facts.on_behalf_of, seq=leaf.seq),
        **filled(policy_digest=leaf.policy_digest, engine=leaf.engine, scrubbed=list(leaf.scrubbed)),
        **kept,
        **hashes,
        **filled(bodies=dict(facts.bodies)),
    }


_DATASTORE: Final = _Class(6005, "Datastore Activity", 6, _datastore)
_AUTHENTICATION: Final = _Class(3002, "Authentication", 3, _authentication)
_ENTITY: Final = _Class(3004, "Entity Management", 3, _entity)
_LIFECYCLE: Final = _Class(6002, "Application Lifecycle", 6, _lifecycle)
_ERROR: Final = _Class(6008, "Application Error", 6, _nothing)
_BASE: Final = _Class(0, "Base Event", 0, _nothing)
CLASSES: Final = {
    "statement.": _DATASTORE, "message.": _DATASTORE, "session.": _AUTHENTICATION, "auth.": _AUTHENTICATION,
    "bundle.": _ENTITY, "policy.": _ENTITY, "config.": _ENTITY, "key.": _ENTITY, "credential.": _ENTITY,
    "evidence.": _ENTITY, "log.degraded": _ERROR, "log.recovered": _ERROR, "sink.": _ERROR, "log.": _LIFECYCLE,
    "heartbeat": _LIFECYCLE,
}  # fmt: skip
"""the first that a type of leaf begins with says its class"""


def _class_of(kind: str) -> _Class:
    return next((of for prefix, of in CLASSES.items() if kind.startswith(prefix)), _BASE)
