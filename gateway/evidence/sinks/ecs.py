"""Events of the Elastic Common Schema, version 9.1; what ECS has no name for stands under `querywarden`."""

import datetime as dt
from typing import Final

from gateway.core.principal import Json
from gateway.evidence.sinks.facts import PRODUCT, VERSION, Facts, filled
from gateway.evidence.sinks.outgoing import grave

ECS_VERSION: Final = "9.1.0"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CHANGING: Final = frozenset({"insert", "update", "delete", "merge", "truncate", "copy_in", "alter", "grant", "revoke"})
_SEVERITY: Final = {1: 21, 2: 47, 3: 73, 4: 99}
"""the steps that Elastic's own rules use"""
_CATEGORIES: Final = {
    "statement.": "database", "message.": "database", "session.": "authentication", "auth.": "authentication",
    "bundle.": "configuration", "policy.": "configuration", "config.": "configuration", "key.": "configuration",
    "credential.": "iam", "evidence.": "database",
}  # fmt: skip
"""the first that a type of leaf begins with says its category; all others are the gateway's own process"""


def event(facts: Facts) -> dict[str, Json]:
    """The event of one leaf."""
    leaf = facts.leaf
    seconds, nanoseconds = divmod(int(leaf.t), 1_000_000_000)
    when = f"{_EPOCH + dt.timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"
    user = filled(id=facts.user, name=facts.user, domain=facts.issuer)
    related: dict[str, Json] = filled(
        ip=[facts.ip] if facts.ip else [], user=sorted({facts.user, facts.on_behalf_of} - {""})
    )
    effective = filled(effective=filled(id=facts.on_behalf_of, name=facts.on_behalf_of))
    return {
        "@timestamp": when,
        "ecs": {"version": ECS_VERSION},
        "event": _event(facts),
        "message": facts.sentence(),
        "observer": {"product": PRODUCT, "vendor": PRODUCT, "type": "gateway", "version": VERSION},
        "service": filled(name=leaf.res or PRODUCT, type="postgresql" if leaf.res else PRODUCT),
        **filled(
            user={**user, **effective},
            source=filled(ip=facts.ip),
            related=related,
            rule=filled(ruleset=leaf.bundle, name=facts.code),
            error=filled(code=facts.text("error")),
            querywarden=_own(facts),
        ),
    }


def _event(facts: Facts) -> dict[str, Json]:
    leaf = facts.leaf
    category = next((name for prefix, name in _CATEGORIES.items() if leaf.type.startswith(prefix)), "process")
    us = facts.number("us")
    return {
        "action": leaf.type if not leaf.act else f"{leaf.type}:{leaf.act}",
        "category": [category],
        "dataset": f"{PRODUCT}.log",
        "id": facts.id,
        "kind": "state" if leaf.type == "heartbeat" else "event",
        "module": PRODUCT,
        "outcome": "success" if leaf.ok else "failure",
        "provider": facts.origin,
        "sequence": facts.at,
        "severity": _SEVERITY[grave(leaf)],
        "type": _types(facts, category),
        **filled(code=facts.code, reason=facts.text("detail") or facts.text("reason")),
        **({} if us is None else {"duration": us * 1000}),
    }


def _types(facts: Facts, category: str) -> list[Json]:
    leaf = facts.leaf
    match category:
        case "database":
            verb = "change" if leaf.act in _CHANGING else "access"
            return [verb, "allowed" if leaf.ok else "denied"] if leaf.type == "statement.decided" else [verb]
        case "authentication":
            return ["end"] if leaf.type == "session.closed" else ["start"]
        case "configuration" | "iam":
            return ["change"]
    return ["start"] if leaf.type == "log.opened" else ["end"] if leaf.type == "log.closed" else ["info"]


def _own(facts: Facts) -> dict[str, Json]:
    leaf = facts.leaf
    data: dict[str, Json] = {name: value for name, value in facts.facts.items() if name not in {"client_ip", "us"}}
    return filled(
        session=leaf.sid, decision=leaf.did, outcome=leaf.outcome, action=leaf.act, seq=leaf.seq, data=data,
        application=facts.application, groups=list(facts.seen.groups), policy_digest=leaf.policy_digest,
        engine=leaf.engine, plan=leaf.plan, input=leaf.in_, output=leaf.out, statement=facts.statement,
        relations=list(facts.relations), scrubbed=list(leaf.scrubbed), bodies=dict(facts.bodies),
    )  # fmt: skip
