"""What is told of two logs: the verdict first, then who went round and how, nothing that could move a cursor."""
# ruff: noqa: E501 -- tables of texts

import msgspec

from gateway.cli.audit.reconcile_text import told
from gateway.evidence.reconcile import Clocks, Need, Reconciliation, Verdict
from gateway.evidence.reconcile_findings import Example, Finding, Kind
from tests.evidence.server_log import START_NS

EMPTY = Reconciliation(
    connection="payments", database="pay", first_ns=START_NS, last_ns=START_NS, verdict=Verdict.COMPLETE, records=9,
    statements=5, matched=4, own=1, decisions=4, sessions=2, findings=(), missing=0, missing_examples=(), unread=0,
    gaps=0, unclear=0, needs=(), clocks=None,
)  # fmt: skip


def finding(kind: Kind, text: str = "SELECT pan", *, known: bool = False) -> Finding:
    example = Example(time_ns=START_NS, text=text, mark="m")
    return Finding(
        kind=kind, user="bob\x1b[2J", application="psql", address="10.0.0.7", count=3, first_ns=START_NS, last_ns=START_NS,
        known=known, examples=(example,),
    )  # fmt: skip


def test_a_complete_log_is_told_in_three_lines() -> None:
    text = told(EMPTY)
    assert text.startswith("payments: complete")
    assert "from 2025-11-25 10:00:00.000000Z" in text
    assert len(text.splitlines()) == 3


def test_every_kind_of_finding_has_its_words_and_is_harmless() -> None:
    answer = msgspec.structs.replace(EMPTY, verdict=Verdict.ROUND, findings=tuple(map(finding, Kind)))
    text = told(answer)
    assert text.count("bob") == len(Kind)
    assert "\x1b" not in text
    assert "WENT ROUND" in text


def test_what_is_missing_needed_or_unclear_is_told() -> None:
    answer = msgspec.structs.replace(
        EMPTY, verdict=Verdict.UNDECIDABLE, missing=2, missing_examples=("d1", "d2"), unread=1, gaps=1, unclear=1,
        needs=(Need(setting="log_statement = all", why="because"),), findings=(finding(Kind.CONNECTION, "", known=True),),
        clocks=Clocks(median_ms=3, least_ms=1, most_ms=9, statements=7), last_ns=0,
    )  # fmt: skip
    text = told(answer)
    for word in ("UNDECIDABLE", "d2", "log_statement = all: because", "(known)", "3 ms (1 to 9)", "another encoding"):
        assert word in text
