"""The last look finds what the rewriting forgot."""

import msgspec
import pytest

from gateway.core.errors import Refused
from gateway.sql import proof
from gateway.sql.edits import Edit, apply
from gateway.sql.job import Job
from gateway.sql.places import Places
from gateway.sql.rewrite import rewrite
from gateway.sql.visibility import visibility
from tests.sql.payments import catalog, one
from tests.support.rules import case_posture, obligations

SPLICED = "(SELECT pan FROM public.cards) AS cards"


def job(sql: str, *edits: Edit) -> Job:
    understood = one(sql)
    wanted = obligations(understood.statement)
    assert understood.tree is not None
    seen = visibility(understood.statement.columns, wanted, catalog())
    made = Job(understood, understood.tree, catalog(), case_posture(), wanted, seen, {}, Places(understood.tokens))
    made.edits = list(edits)
    return made


def prove(sql: str, *edits: Edit) -> None:
    proof.prove(job(sql, *edits), apply(sql.encode(), edits))


SQL = "SELECT pan FROM cards, customers"
AT = SQL.index("cards")


def test_a_replaced_reference_is_proven() -> None:
    prove(SQL, Edit(AT, AT + 5, SPLICED))


@pytest.mark.parametrize(
    "edits",
    [
        (),
        (Edit(AT + 7, AT + 16, SPLICED),),
        (Edit(AT, AT + 5, "(SELECT 1; SELECT 2"),),
        (Edit(AT, AT + 5, "x; DELETE FROM notes WHERE (1) = (1"),),
        (Edit(0, len(SQL), "DELETE FROM notes"),),
        (Edit(AT, AT + 5, f"{SPLICED} -- "),),
        (Edit(AT, AT + 5, SPLICED), Edit(len(SQL), len(SQL), "; SELECT 1")),
    ],
)
def test_what_is_left_bare_cut_off_or_added_is_refused(edits: tuple[Edit, ...]) -> None:
    with pytest.raises(Refused, match=r"statement\.proof_failed"):
        prove(SQL, *edits)


def test_what_was_to_be_replaced_and_stands_bare_is_refused() -> None:
    """A place taken wrongly: the other relation is replaced, and what it stands for stays."""
    understood = one("SELECT pan FROM cards, customers")
    first, second = understood.references
    moved = msgspec.structs.replace(first, name=second.name)
    wrong = msgspec.structs.replace(understood, references=(moved, second))
    with pytest.raises(Refused, match=r"statement\.proof_failed"):
        rewrite(wrong, obligations(understood.statement), catalog(), case_posture())
