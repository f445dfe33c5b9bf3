"""What is worth recording. An event becomes one leaf of the log; its bodies are stored beside it by their sha256.

The recorder adds what only it knows: version, sequence in the session, time, salt, and the hashes of the bodies.
"""

from enum import StrEnum

import msgspec

from gateway.core.principal import Json


class EventType(StrEnum):
    """The types of leaves."""

    SESSION_OPENED = "session.opened"
    SESSION_CLOSED = "session.closed"
    AUTH_FAILED = "auth.failed"
    STATEMENT_DECIDED = "statement.decided"
    STATEMENT_FINISHED = "statement.finished"
    MESSAGE_REFUSED = "message.refused"
    BUNDLE_ACTIVATED = "bundle.activated"
    BUNDLE_REJECTED = "bundle.rejected"
    BUNDLE_SHADOWED = "bundle.shadowed"
    BUNDLE_ROLLED_BACK = "bundle.rolled_back"
    POLICY_STOPPED = "policy.stopped"
    POLICY_STOP_LIFTED = "policy.stop_lifted"
    CONFIG_LOADED = "config.loaded"
    LOG_OPENED = "log.opened"
    LOG_CLOSED = "log.closed"
    LOG_RECOVERED = "log.recovered"
    LOG_DEGRADED = "log.degraded"
    LOG_PRUNED = "log.pruned"
    BODY_SHREDDED = "body.shredded"
    CLOCK_JUMPED = "clock.jumped"
    KEY_CREATED = "key.created"
    CHECKPOINT_COLLECTED = "checkpoint.collected"
    CHECKPOINT_REFUSED = "checkpoint.refused"
    HEARTBEAT = "heartbeat"
    WITNESS_COSIGNED = "witness.cosigned"
    WITNESS_FAILED = "witness.failed"
    WITNESS_REFUSED = "witness.refused"
    LOG_ANCHORED = "log.anchored"
    ANCHOR_FAILED = "anchor.failed"
    RECORDING_SEALED = "recording.sealed"
    RECORDING_SHREDDED = "recording.shredded"
    EVIDENCE_ACCESSED = "evidence.accessed"
    REVIEW_SIGNED = "review.signed"
    CLOCK_MEASURED = "clock.measured"
    SINK_FAILED = "sink.failed"
    SINK_RECOVERED = "sink.recovered"
    SINK_REJECTED = "sink.rejected"


class Who(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The identity part of a leaf."""

    id: str
    issuer: str = ""
    on_behalf_of: str = ""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. Every text in it has been redacted by whoever made it."""

    type: EventType
    sid: str = ""
    """session id; empty for events of the gateway itself"""
    did: str = ""
    """decision id"""
    who: Who | None = None
    res: str = ""
    """connection name"""
    act: str = ""
    """action name, e.g. `select`"""
    ok: bool = True
    outcome: str = ""
    bundle: str = ""
    """bundle_sha256, `sha256:` + hex"""
    policy_digest: str = ""
    engine: str = ""
    catalog: str = ""
    """catalog snapshot hash, `sha256:` + hex"""
    plan: str = ""
    """sha256 of the redacted, rewritten text, `sha256:` + hex"""
    mac: str = ""
    """HMAC that binds exact text and values, `hmac:` + hex"""
    data: dict[str, Json] = {}
    """small facts of this type of event (counts, codes, durations); the leaf stays within 4 KiB"""
    bodies: dict[str, bytes] = {}
    """name (`in`, `out`, `body`) → content, stored by its sha256; the leaf has `sha256:` + hex under the name"""
    durable: bool = False
    """True: the append returns only after fdatasync. False: after write(); fdatasync follows within 50 ms"""
