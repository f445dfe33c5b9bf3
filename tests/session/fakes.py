"""Rulings made by hand, for tests of what happens around them."""

from types import MappingProxyType

from gateway.core.site import Posture
from gateway.core.statement import Column, Relation, Statement
from gateway.core.verdict import Decision, Finding, Limits, Obligations, Outcome, Reason, Verdict
from gateway.session.ground import Ground
from gateway.session.ruling import Leg, Ruling, rule
from gateway.sql.catalog import Catalog
from gateway.sql.model import Effect, Span, Understood
from gateway.sql.understand import Scope, understand

EMPTY = Catalog(
    sha256="c" * 64,
    server_version=150000,
    relations=MappingProxyType({}),
    functions=MappingProxyType({}),
    operators=(),
    protected=MappingProxyType({}),
    problems=(),
)
GROUND = Ground(EMPTY, Posture())


def statement(action: str = "select", category: str = "read", *, labels: tuple[str, ...] = ()) -> Statement:
    """Facts of a statement on one relation."""
    relation = Relation(schema="public", name="cards", kind="table", access=("read",), labels=labels)
    column = Column(schema="public", relation="cards", name="pan", labels=labels, clauses=("select",))
    return Statement(
        action=action, category=category, text_redacted="SELECT ?", sha256="a" * 64, fingerprint="f",
        relations=(relation,), columns=(column,),
    )  # fmt: skip


def understood(text: str = "SELECT 1") -> Understood:
    """A statement that really is read."""
    return understand(text, EMPTY, Scope(search_path=("public",), posture=Posture()))[0]


def with_facts(facts: Statement, effect: Effect = None, text: str = "SELECT 1") -> Understood:
    """A statement whose facts are given."""
    return Understood(statement=facts, text=text, span=Span(0, len(text)), effect=effect)


def verdict(outcome: Outcome = Outcome.ALLOW, *, rows: int | None = None, code: str = "policy.denied") -> Verdict:
    """An answer of policy."""
    return Verdict(
        decision=Decision(
            outcome=outcome, reasons=(Reason(code=code),), obligations=Obligations(limits=Limits(rows=rows))
        ),
        findings=(Finding(code=code, message="because"),),
        input=b'{"in":1}',
        output=b'{"out":1}',
        bundle_sha256="b" * 64,
        policy_digest="d" * 64,
        engine="fake",
    )


def ruling(outcome: Outcome = Outcome.ALLOW, text: str = "SELECT 1") -> Ruling:
    """A judged statement."""
    return rule(leg(text, "did-1"), verdict(outcome), GROUND)


def leg(text: str = "SELECT 1", did: str = "did-1", prior: Ruling | None = None) -> Leg:
    """A statement at the start of its journey."""
    return Leg(understood(text), did, text.encode(), prior)
