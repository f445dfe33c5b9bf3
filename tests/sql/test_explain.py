"""EXPLAIN over governed rows shows no estimate, however it is spelled."""

import pytest

from gateway.core.errors import Refused
from gateway.sql.model import Scope
from gateway.sql.rewrite import rewrite
from gateway.sql.understand import understand
from tests.sql.payments import catalog, one, plan
from tests.support import rules

SPELLINGS = {
    "EXPLAIN": "EXPLAIN (COSTS OFF) ",
    "explain analyze": "explain (COSTS OFF, ANALYZE) ",
    "EXPLAIN ANALYSE VERBOSE": "EXPLAIN (COSTS OFF, ANALYZE, VERBOSE) ",
    "EXPLAIN (VERBOSE, FORMAT json)": "EXPLAIN (COSTS OFF, VERBOSE, FORMAT json) ",
    "EXPLAIN (COSTS)": "EXPLAIN (COSTS, COSTS OFF) ",
    "EXPLAIN (COSTS true, ANALYZE)": "EXPLAIN (COSTS true, ANALYZE, COSTS OFF) ",
}


INNER = ("SELECT pan FROM cards", "(SELECT pan FROM cards)", "TABLE cards", "SELECT v FROM v_cards v")


@pytest.mark.parametrize(("written", "sent"), SPELLINGS.items())
@pytest.mark.parametrize("inner", [*INNER, "SELECT brand FROM v_safe"])
def test_estimates_are_left_out_where_a_mask_is_looked_through(written: str, sent: str, inner: str) -> None:
    if "ANALY" in sent and inner in INNER:
        with pytest.raises(Refused, match=r"statement\.explain_analyze"):
            plan(f"{written} {inner}")
    else:
        assert plan(f"{written} {inner}").text.startswith(sent)


@pytest.mark.parametrize("sql", ["EXPLAIN DELETE FROM num_cards RETURNING *", "EXPLAIN SELECT brand FROM v_safe"])
def test_returning_masks_and_views_have_none_either(sql: str) -> None:
    assert plan(sql).text.startswith("EXPLAIN (COSTS OFF) ")


@pytest.mark.parametrize(
    "sql", ["EXPLAIN SELECT id FROM cards WHERE id = 1", "EXPLAIN (COSTS) SELECT name FROM customers"]
)
def test_estimates_of_what_hides_nothing_stay(sql: str) -> None:
    assert plan(sql).text == sql


@pytest.mark.parametrize(
    ("inner", "sent"), [("SELECT pan FROM cards", "EXPLAIN (COSTS OFF) EXECUTE p"), ("SELECT 1", "EXPLAIN EXECUTE p")]
)
def test_a_prepared_statement_is_explained_without_estimates_when_it_is_governed(inner: str, sent: str) -> None:
    scope = Scope(search_path=("public",), posture=rules.case_posture(), prepared={"p": one(inner)})
    (found,) = understand("EXPLAIN EXECUTE p", catalog(), scope)
    made = rewrite(found, rules.obligations(found.statement, ()), catalog(), rules.case_posture())
    assert made.text == sent
    assert made.original_position(len(sent)) == len("EXPLAIN EXECUTE p")


def test_a_prepared_statement_that_sees_masks_is_not_measured() -> None:
    scope = Scope(search_path=("public",), posture=rules.case_posture(), prepared={"p": one("SELECT pan FROM cards")})
    (found,) = understand("EXPLAIN ANALYZE EXECUTE p", catalog(), scope)
    with pytest.raises(Refused, match=r"statement\.explain_analyze"):
        rewrite(found, rules.obligations(found.statement, ()), catalog(), rules.case_posture())
