"""A ruling in words: each fact a line, the decision with its rule, and what would be sent."""

from dataclasses import replace

import msgspec
import pytest

from gateway.cli.policy.showing import in_words
from gateway.core.statement import Column, Function, Hazard, Relation, Statement
from gateway.core.verdict import ApprovalDemand, Decision, Finding, Limits, Mask, Obligations, Outcome, RowFilter
from gateway.session.ruling import Ruling
from gateway.sql.plan import Plan
from tests.session import fakes

FACTS = Statement(
    action="select",
    category="read",
    text_redacted="SELECT pan FROM v_cards WHERE id = ?",
    sha256="a" * 64,
    fingerprint="f",
    relations=(
        Relation(schema="public", name="cards", kind="table", access=("read", "write"), labels=("pan",), via=("p.v",)),
        Relation(schema="public", name="plain", kind="view", access=("read",)),
    ),
    columns=(Column(schema="public", relation="cards", name="pan", labels=("pan",), clauses=("select", "where")),),
    functions=(Function(schema="pg_catalog", name="lower", kind="function"), Function(schema="", name="odd", kind="x")),
    settings=("work_mem",),
    hazards=(Hazard(code="statement.unanalysable", detail="here"), Hazard(code="other")),
)
FINDING = Finding(
    code="pci.cardholder.masked", message="masked", file="pci.rego", line=7, controls=("PCI-DSS-4.0.1/3.4.1",)
)


def ruling(**parts: object) -> Ruling:
    """An allowed statement, with `parts` of its ruling replaced."""
    made = fakes.ruling()
    return replace(made, understood=fakes.with_facts(FACTS), **parts)  # type: ignore[arg-type]  # parts of a ruling


def decided(**obligations: object) -> Ruling:
    """One that is masked, with obligations."""
    decision = Decision(
        outcome=Outcome.MASK,
        obligations=Obligations(**obligations),  # type: ignore[arg-type]  # by name
        advice=("Ask for less.",),
    )
    verdict = msgspec.structs.replace(fakes.verdict(), decision=decision, findings=(FINDING,), revision="7")
    return ruling(verdict=verdict)


@pytest.mark.parametrize(
    "line",
    [
        "statement  SELECT pan FROM v_cards WHERE id = ?",
        "action     select (read)",
        "relation   public.cards table, read and write [pan] via p.v",
        "relation   public.plain view, read",
        "column     public.cards.pan [pan] in select, where",
        "functions  pg_catalog.lower, odd",
        "settings   work_mem",
        "hazard     statement.unanalysable: here",
        "hazard     other",
        f"decision   allow  (bundle {'b' * 12} )",
        "sent       as written",
    ],
)
def test_each_fact_has_its_line(line: str) -> None:
    assert line in in_words(ruling()).splitlines()


def test_a_reason_names_its_rule_file_line_and_requirement() -> None:
    said = in_words(decided())
    assert "reason     pci.cardholder.masked: masked  pci.rego:7  PCI-DSS-4.0.1/3.4.1\n" in said
    assert f"decision   mask  (bundle {'b' * 12} 7)\n" in said


def test_every_obligation_is_told() -> None:
    said = in_words(
        decided(
            masks=(Mask(schema="public", relation="cards", column="pan", method="last4"),),
            row_filters=(RowFilter(schema="public", relation="customers", sql="country = 'DE'"),),
            limits=Limits(rows=10, seconds=30, rows_by_label={"pan": 5}),
            approval=ApprovalDemand(
                any_of=("dba", "ops"), all_of=("security", "risk"), min=2, reason_required=True, ttl=300
            ),
        )
    ).splitlines()
    for line in (
        "mask       public.cards.pan by last4",
        "filter     public.customers: country = 'DE'",
        "limit      10 rows",
        "limit      30 seconds",
        "limit      5 rows with the label pan",
        "approval   2 of dba or ops, someone of security and of risk, with a reason, good for 300 s",
        "advice     Ask for less.",
    ):
        assert line in said
    assert not any("bytes" in line for line in said)


def test_what_would_be_sent_is_shown_when_it_was_rewritten() -> None:
    plan = Plan(text="SELECT NULL::text", source="SELECT cvv")
    assert in_words(ruling(plan=plan)).splitlines()[-1] == "sent       SELECT NULL::text"


def test_our_own_refusal_comes_first_with_what_to_do_and_nothing_is_sent() -> None:
    refusal = Finding(code="statement.hidden_code", message="no", remedy="Do otherwise.")
    lines = in_words(ruling(plan=None, refusal=refusal)).splitlines()
    at = lines.index("refused    statement.hidden_code: no")
    assert lines[at - 1].startswith("decision   deny")
    assert lines[at + 1] == "           Do otherwise."
    assert not any(line.startswith("sent") for line in lines)


def test_an_approval_of_few_words_is_told_in_few() -> None:
    assert "approval   1 of dba\n" in in_words(decided(approval=ApprovalDemand(any_of=("dba",))))
    assert "approval   someone of dba\n" in in_words(decided(approval=ApprovalDemand(all_of=("dba",))))


def test_the_input_is_shown_as_policy_was_given_it_and_only_then() -> None:
    verdict = msgspec.structs.replace(fakes.verdict(), input=b'{"spec":"x"}')
    assert 'input      {"spec":"x"}' in in_words(ruling(verdict=verdict)).splitlines()
    unasked = msgspec.structs.replace(fakes.verdict(), input=b"")
    assert not any(line.startswith("input") for line in in_words(ruling(verdict=unasked)).splitlines())


@pytest.mark.parametrize(("remedy", "told"), [("Ask for less.", True), ("Nothing to do.", False), ("", False)])
def test_a_reason_says_what_to_do_unless_that_is_nothing(remedy: str, told: bool) -> None:  # noqa: FBT001 -- of a table
    finding = msgspec.structs.replace(FINDING, remedy=remedy)
    verdict = msgspec.structs.replace(fakes.verdict(), findings=(finding,))
    lines = in_words(ruling(verdict=verdict)).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("reason"))
    assert (lines[at + 1] == f"           {remedy}") == told


def test_a_refusal_that_policy_gave_is_not_told_twice() -> None:
    verdict = fakes.verdict(Outcome.DENY)
    said = in_words(ruling(verdict=verdict, plan=None, refusal=verdict.findings[0]))
    assert said.count("policy.denied") == 1


def test_a_name_from_the_database_plays_no_tricks_on_the_terminal() -> None:
    hostile = Column(schema="public", relation="cards", name="\x1b[2Jpan\u202e", clauses=("select",))
    facts = msgspec.structs.replace(FACTS, columns=(hostile,))
    said = in_words(replace(ruling(), understood=fakes.with_facts(facts)))
    assert "\\x1b[2Jpan\\u202e" in said
    assert "\x1b" not in said
