"""One statement, judged: what it is, what policy said, and the plan that carries it out, or why it is refused."""

from dataclasses import dataclass
from typing import Final

from gateway.core.errors import Refused
from gateway.core.verdict import Finding, Outcome, Verdict
from gateway.session.ground import Ground
from gateway.session.plans import plan_for
from gateway.sql.model import Understood
from gateway.sql.moved_path import refuse_moved
from gateway.sql.plan import Plan


@dataclass(frozen=True, slots=True)
class Leg:
    """One statement at the start of its journey, with the decision id it will be known by."""

    understood: Understood
    did: str
    exact: bytes
    """what the mac binds: text and values"""
    prior: "Ruling | None" = None
    """for a prepared statement: the ruling it was planned under"""
    now: Understood | None = None
    """for a prepared statement: its text, read against the snapshot that holds now"""
    cursor: "Ruling | None" = None
    """for FETCH: the ruling its cursor was opened under"""
    mark: str = ""
    """for Execute: the decision id in front of the text that was prepared, by which the server's log knows it"""

    def __repr__(self) -> str:
        """Without the text."""
        return f"Leg({self.did})"


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """The judged statement. Exactly one of `plan` and `refusal` is there."""

    did: str
    understood: Understood
    verdict: Verdict
    ground: Ground
    plan: Plan | None = None
    refusal: Finding | None = None

    @property
    def outcome(self) -> Outcome:
        """What happens in the end: a statement that cannot be carried out as policy wants is denied."""
        return Outcome.DENY if self.refusal else self.verdict.decision.outcome

    @property
    def labelled(self) -> bool:
        """The statement touches a labelled column."""
        statement = self.understood.statement
        return any(r.labels for r in statement.relations) or any(c.labels for c in statement.columns)


BLIND: Final = frozenset({"session", "transaction", "ddl"})
"""categories that need no snapshot"""


def rule(leg: Leg, verdict: Verdict, ground: Ground) -> Ruling:
    """Turn a verdict into a plan. What cannot be rewritten, what must wait for a person: refused."""
    did, understood = leg.did, leg.understood
    if ground.void and understood.statement.category not in BLIND:
        return Ruling(did, understood, verdict, ground, refusal=own_finding("catalog.void"))
    match verdict.decision.outcome:
        case Outcome.DENY:
            return Ruling(did, understood, verdict, ground, refusal=_first(verdict))
        case Outcome.REQUIRE_APPROVAL:
            return Ruling(did, understood, verdict, ground, refusal=own_finding("obligation.unsupported", "approval"))
        case Outcome.ALLOW | Outcome.MASK:
            try:
                plan = _plan(leg, verdict, ground)
            except Refused as refused:
                finding = own_finding(refused.code, refused.detail)
                return Ruling(did, understood, verdict, ground, refusal=finding)
            except Exception as error:  # noqa: BLE001 -- a statement we stumble over is denied; it must not end its session
                finding = own_finding("statement.cannot_rewrite", type(error).__name__)
                return Ruling(did, understood, verdict, ground, refusal=finding)
            return Ruling(did, understood, verdict, ground, plan=plan)


def _plan(leg: Leg, verdict: Verdict, ground: Ground) -> Plan:
    """What will be sent. Raises Refused.

    The plan of a prepared statement stands on the server, so it has to be the one that today's verdict asks for.
    """
    obligations = verdict.decision.obligations
    if leg.cursor is not None and leg.cursor.verdict.bundle_sha256 != verdict.bundle_sha256:
        raise Refused("statement.cursor_outdated")  # what it shows was chosen by the policy it was opened under
    if ground.path is not None:
        refuse_moved(leg.now or leg.understood, obligations, ground.catalog)
    if obligations.approval is not None:
        raise Refused("obligation.unsupported", "approval")
    if obligations.limits.rows_by_label:  # a budget over time needs counters that policy sees
        raise Refused("obligation.unsupported", "limits.rows_by_label")
    prior = leg.prior
    if prior is None or prior.plan is None:
        return plan_for(leg.understood, obligations, ground)
    now = leg.now or prior.understood
    plan = prior.plan
    if not ground.like(prior.ground) or prior.verdict.decision.obligations != obligations:
        plan = plan_for(now, obligations, ground)
        if plan.text != prior.plan.text:
            raise Refused("statement.plan_changed")
    if leg.understood is now or leg.understood is prior.understood:
        return plan
    return plan_for(leg.understood, obligations, ground)


def own_finding(code: str, detail: str = "") -> Finding:
    """A finding of the gateway's own, rendered from the registry of codes."""
    entry = Refused(code).entry
    message = f"{entry.message}: {detail}" if detail else entry.message
    return Finding(code=code, message=message, remedy=entry.remedy)


def _first(verdict: Verdict) -> Finding:
    """The reason to show first. `findings` come with the deciding effect in front."""
    return verdict.findings[0] if verdict.findings else own_finding("policy.denied")
