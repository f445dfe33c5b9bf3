"""One decision's account: what the log tells of it and what its bundle says of the reasons, put together."""

import msgspec

from gateway.cli.audit.recompute import Archive, PastBundle, Recomputed, Result, recompute
from gateway.core.errors import GatewayError
from gateway.core.events import Who
from gateway.core.verdict import Decision, Finding, Obligations
from gateway.evidence.explain import Story
from gateway.evidence.leaf import NAMED
from gateway.policy.findings import render

_HOLDS = frozenset({Result.EQUAL, Result.NOT_ASKED, Result.NO_ANSWER})


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Where the leaf stands in the signed tree."""

    origin: str
    size: int
    root: str
    signed: bool
    """the checkpoint covers it; what is younger is signed within the checkpoint interval"""
    holds: bool
    path: tuple[str, ...]
    """siblings from the leaf up, hex"""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `audit explain` says. Digests are `sha256:` and hex."""

    did: str
    epoch: int
    leaf: int
    sid: str
    seq: int
    time_ns: int
    who: Who | None
    connection: str
    action: str
    outcome: str
    """of the decision as it was carried out"""
    answered: str
    """of the bundle's answer; the gateway may have denied for a reason of its own"""
    statement: str
    """redacted"""
    refused: dict[str, object]
    """code and message of the gateway's own refusal"""
    reasons: tuple[Finding, ...]
    obligations: Obligations
    bundle: str
    revision: str
    policy_digest: str
    engine: str
    catalog: str
    plan: str
    activated: dict[str, object]
    """the bundle's activation: leaf, time_ns and facts; empty when the log does not have it"""
    finished: dict[str, object]
    """how it ended: leaf, outcome and facts; empty when nothing was let through, or it runs still"""
    proof: Proved
    recomputed: Result
    why: str
    ok: bool
    """proof and recomputation hold, as far as there can be any"""


def account_of(story: Story, archive: Archive) -> Account:
    """Put it together. Raises ValueError when a stored document is none."""
    leaf = story.decided.leaf
    bundle, trouble = _bundle(archive, leaf.bundle)
    again = recompute(bundle, story.input, story.answer, asked=bool(leaf.in_ and leaf.bundle))
    if trouble or (leaf.out and story.answer is None):
        again = Recomputed(Result.IMPOSSIBLE, trouble or "the stored answer is not there")
    decision = None if story.answer is None else msgspec.json.decode(story.answer, type=Decision)
    proof = _proved(story)
    facts = leaf.facts()
    return Account(
        did=leaf.did,
        epoch=story.epoch,
        leaf=story.decided.number,
        sid=leaf.sid,
        seq=leaf.seq,
        time_ns=int(leaf.t),
        who=leaf.who,
        connection=leaf.res,
        action=leaf.act,
        outcome=leaf.outcome,
        answered=decision.outcome.value if decision else "",
        statement=_statement(story.input),
        refused=_mapping(facts.get("refused")),
        reasons=render(decision, bundle.rules if bundle else {}) if decision else (),
        obligations=decision.obligations if decision else Obligations(),
        bundle=leaf.bundle,
        revision=bundle.revision if bundle else "",
        policy_digest=leaf.policy_digest,
        engine=leaf.engine,
        catalog=leaf.catalog,
        plan=leaf.plan,
        activated=_later(story, "activated"),
        finished=_later(story, "finished"),
        proof=proof,
        recomputed=again.result,
        why=again.why,
        ok=again.result in _HOLDS and (proof.holds or not proof.signed),
    )


def _bundle(archive: Archive, name: str) -> tuple[PastBundle | None, str]:
    """The bundle that decided, or what is wrong with the one that is kept."""
    if not name:
        return None, ""
    try:
        return archive(name.removeprefix(NAMED)), ""
    except (GatewayError, ValueError) as error:
        return None, str(error)


def _proved(story: Story) -> Proved:
    checkpoint = story.proof.checkpoint
    return Proved(
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=checkpoint.root.hex(),
        signed=story.proof.signed,
        holds=story.proof.holds,
        path=tuple(sibling.hex() for sibling in story.proof.path),
    )


def _statement(document: bytes | None) -> str:
    if document is None:
        return ""
    statement = _mapping(msgspec.json.decode(document, type=dict[str, object]).get("statement"))
    return str(statement.get("text_redacted", ""))


def _later(story: Story, name: str) -> dict[str, object]:
    """The facts of another leaf of the story."""
    placed = story.activated if name == "activated" else story.finished
    if placed is None:
        return {}
    outcome = {"outcome": placed.leaf.outcome} if placed.leaf.outcome else {}
    return {"leaf": placed.number, "time_ns": int(placed.leaf.t), **outcome, **placed.leaf.facts()}


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
