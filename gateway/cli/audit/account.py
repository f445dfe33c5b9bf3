"""One decision's account: what the log tells of it and what its bundle says of the reasons, put together."""

from collections.abc import Sequence

import msgspec

from gateway.cli.audit.recompute import Archive, PastBundle, Recomputed, Result, recompute
from gateway.core.errors import GatewayError
from gateway.core.events import Who
from gateway.core.verdict import Decision, Finding, Obligations
from gateway.evidence.explain import Story
from gateway.evidence.leaf import NAMED
from gateway.policy.embedded import NAME
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


class Cited(msgspec.Struct, frozen=True, kw_only=True):
    """The rule of the bundle that a reason points at."""

    file: str
    line: int
    text: str
    """that line"""
    title: str
    """of the rule, in words"""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a leaf stands."""

    origin: str
    epoch: int
    leaf: int


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
    purpose: str
    """why the agent asked, as it said itself; empty when the bundle does not read it"""
    ticket: str
    channel: str
    refused: dict[str, object]
    """code and message of the gateway's own refusal"""
    reasons: tuple[Finding, ...]
    cited: tuple[Cited, ...]
    """the rules of that bundle that the reasons point at"""
    obligations: Obligations
    approvals: tuple[dict[str, object], ...]
    """as policy was told of them: id, status, approvers"""
    bundle: str
    revision: str
    policy_digest: str
    engine: str
    """that answered"""
    engine_now: str
    """that computed it again"""
    catalog: str
    plan: str
    activated: dict[str, object]
    """the bundle's activation: leaf, time_ns and facts; empty when the log does not have it"""
    finished: dict[str, object]
    """how it ended: leaf, outcome and facts; empty when nothing was let through, or it runs still"""
    proof: Proved
    recomputed: Result
    why: str
    also: tuple[Place, ...] = ()
    """other leaves with the same id: a decision has one leaf"""
    ok: bool
    """proof and recomputation hold, as far as there can be any, and no other leaf has the id"""


def accounts_of(stories: Sequence[Story], archive: Archive) -> list[Account]:
    """Of every leaf that has the id that was asked for: there is one, else none of them can be believed alone."""
    places = [
        Place(origin=story.proof.checkpoint.origin, epoch=story.epoch, leaf=story.decided.number) for story in stories
    ]
    return [
        account_of(story, archive, tuple(place for place in places if place is not own))
        for story, own in zip(stories, places, strict=True)
    ]


def account_of(story: Story, archive: Archive, also: tuple[Place, ...] = ()) -> Account:
    """Put it together. `also`: other leaves with the same id. Raises ValueError when a stored document is none."""
    leaf = story.decided.leaf
    bundle, trouble = _bundle(archive, leaf.bundle)
    again = _again(story, bundle, trouble)
    decision = None if story.answer is None else msgspec.json.decode(story.answer, type=Decision)
    proof = _proved(story)
    facts, context = leaf.facts(), _context(story.input)
    reasons = render(decision, bundle.rules if bundle else {}) if decision else ()
    return Account(
        did=leaf.did, epoch=story.epoch, leaf=story.decided.number, sid=leaf.sid, seq=leaf.seq, time_ns=int(leaf.t),
        who=leaf.who, connection=leaf.res, action=leaf.act, outcome=leaf.outcome,
        answered=decision.outcome.value if decision else "",
        statement=_statement(story.input),
        purpose=str(context.get("purpose", "")),
        ticket=str(context.get("ticket", "")),
        channel=str(context.get("channel", "")),
        refused=_mapping(facts.get("refused")),
        reasons=reasons,
        cited=_cited(bundle, reasons),
        obligations=decision.obligations if decision else Obligations(),
        approvals=_approvals(context),
        bundle=leaf.bundle,
        revision=bundle.revision if bundle else "",
        policy_digest=leaf.policy_digest, engine=leaf.engine, engine_now=NAME, catalog=leaf.catalog, plan=leaf.plan,
        activated=_later(story, "activated"),
        finished=_later(story, "finished"),
        proof=proof,
        recomputed=again.result,
        why=again.why,
        also=also,
        ok=again.result in _HOLDS and (proof.holds or not proof.signed) and not also,
    )  # fmt: skip


def _again(story: Story, bundle: PastBundle | None, trouble: str) -> Recomputed:
    """The decision computed again, by the bundle the leaf names, which must be the one of its digest too."""
    leaf = story.decided.leaf
    if trouble or (leaf.out and story.answer is None):
        return Recomputed(Result.IMPOSSIBLE, trouble or "the stored answer is not there")
    digest = leaf.policy_digest.removeprefix(NAMED)
    if bundle is not None and digest and digest != bundle.policy_digest:
        return Recomputed(Result.DIFFERENT, "the bundle of that sha256 has another policy digest than the leaf")
    asked = bool(leaf.in_ and leaf.bundle)
    return recompute(bundle, story.input, story.answer, asked=asked, carried=leaf.outcome)


def _cited(bundle: PastBundle | None, reasons: tuple[Finding, ...]) -> tuple[Cited, ...]:
    if bundle is None:
        return ()
    titles = {(rule.file, rule.line): rule.title for rule in bundle.rules.values()}
    places = dict.fromkeys((each.file, each.line) for each in reasons if each.file)
    return tuple(
        Cited(file=file, line=line, text=bundle.line(file, line), title=titles.get((file, line), ""))
        for file, line in places
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


def _context(document: bytes | None) -> dict[str, object]:
    """The circumstances, as far as policy was told of them."""
    return {} if document is None else _mapping(msgspec.json.decode(document, type=dict[str, object]).get("context"))


def _approvals(context: dict[str, object]) -> tuple[dict[str, object], ...]:
    found = context.get("approvals")
    return tuple(map(_mapping, found)) if isinstance(found, list) else ()


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
    leaf = placed.leaf
    told = {
        "outcome": leaf.outcome,
        "type": leaf.type if name == "activated" else "",
        "who": leaf.who.id if leaf.who else "",
    }
    said = {key: value for key, value in told.items() if value}
    return {"leaf": placed.number, "time_ns": int(leaf.t), **said, **leaf.facts()}


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
