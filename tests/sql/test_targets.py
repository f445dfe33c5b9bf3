"""Targets: no protected column of them is read, RETURNING is masked, hidden code is listed or refused."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.sql.catalog import build_catalog
from gateway.sql.model import Scope
from gateway.sql.rewrite import rewrite
from gateway.sql.understand import understand
from tests.sql.payments import catalog, plan, rows
from tests.support.rules import case_posture, obligations

LISTED = case_posture(triggers=("public.cards.cards_audit",))


def code_of(sql: str, **more: object) -> str:
    with pytest.raises(Refused) as refused:
        plan(sql, **more)  # type: ignore[arg-type]  # a field of plan
    return refused.value.code


@pytest.mark.parametrize("sql", ["UPDATE cards SET exp_year = 1", "UPDATE v_safe SET exp_year = 1", "INSERT INTO cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET brand = 'x'",
                                 "MERGE INTO cards c USING notes n ON c.id = n.id WHEN MATCHED THEN UPDATE SET brand = 'x'",
                                 "WITH u AS (UPDATE cards SET brand = 'x') SELECT 1", "EXPLAIN ANALYZE UPDATE cards SET brand = 'x'"])  # fmt: skip
def test_a_trigger_runs_only_when_the_site_lists_it(sql: str) -> None:
    assert code_of(sql) == "statement.hidden_code"
    assert plan(sql, posture=LISTED).text == sql


@pytest.mark.parametrize(
    "sql", ["DELETE FROM cards WHERE id = 1", "INSERT INTO cards(id) VALUES (1)", "UPDATE customers SET name = 'x'"]
)
def test_a_trigger_of_another_event_or_relation_does_not_matter(sql: str) -> None:
    assert plan(sql).text == sql


@pytest.mark.parametrize("sql", ["DELETE FROM archive.cards WHERE lower(acct) = 'x'", "DELETE FROM archive.cards c WHERE c IS NOT NULL", "DELETE FROM archive.cards WHERE cards.*::text = 'x'",
                                 "DELETE FROM archive.cards USING notes WHERE acct = body", "UPDATE num_cards SET (id, pan) = (SELECT 1, pan)",
                                 "UPDATE num_cards n SET id = 1 FROM archive.cards c JOIN notes USING (id) WHERE n.pan = 1",
                                 "INSERT INTO num_cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2 WHERE num_cards.pan > 1",
                                 "WITH d AS (DELETE FROM num_cards WHERE pan = 1) SELECT 1",
                                 "UPDATE num_cards SET pan[1] = 1", "UPDATE num_cards SET pan_raw.part = 1 WHERE id = 1", "UPDATE num_cards n SET (id, pan['a']['b']) = (1, '2')",
                                 "INSERT INTO num_cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET pan['a'] = '1'",
                                 "MERGE INTO num_cards n USING notes o ON n.id = o.id WHEN MATCHED THEN UPDATE SET pan[1:2] = '{1}'"])  # fmt: skip
def test_a_protected_column_of_the_target_is_not_read(sql: str) -> None:
    assert code_of(sql) == "statement.target_read"


@pytest.mark.parametrize("sql", ["DELETE FROM archive.cards WHERE id = 1", "UPDATE archive.cards SET acct = 'x' WHERE id IN (SELECT id FROM notes)", "UPDATE num_cards SET pan = 1 WHERE CURRENT OF c",
                                 "INSERT INTO num_cards(id, pan) VALUES (1, 2) ON CONFLICT (id) DO UPDATE SET pan = excluded.pan WHERE excluded.pan > 1"])  # fmt: skip
def test_conditions_on_other_columns_and_the_agents_own_values_are_free(sql: str) -> None:
    assert plan(sql).text == sql


def test_a_clear_column_of_the_target_may_be_read() -> None:
    sql = "DELETE FROM archive.cards WHERE acct = 'x' RETURNING acct"
    assert plan(sql, clear=("archive.cards.acct",)).text == sql


@pytest.mark.parametrize("sql", ["DELETE FROM archive.cards RETURNING cards", "DELETE FROM archive.cards RETURNING row_to_json(cards)", "DELETE FROM archive.cards RETURNING (cards.*)::text", "DELETE FROM archive.cards USING notes RETURNING *",
                                 "DELETE FROM archive.cards RETURNING (SELECT cards.acct FROM notes AS cards(acct))"])  # fmt: skip
def test_what_returning_cannot_mask_it_refuses(sql: str) -> None:
    assert code_of(sql) == "statement.returning_protected"


@pytest.mark.parametrize("sql", ["INSERT INTO notes(body) SELECT acct FROM archive.cards", "INSERT INTO notes(body) WITH d AS (DELETE FROM archive.cards RETURNING acct) SELECT acct FROM d",
                                 "CREATE TABLE t AS WITH d AS (DELETE FROM archive.cards RETURNING acct) SELECT * FROM d", "SELECT acct INTO t FROM archive.cards"])  # fmt: skip
def test_masked_values_are_not_stored(sql: str) -> None:
    assert code_of(sql) == "statement.masked_write"


def test_masked_values_are_stored_where_the_site_wants_it_but_never_as_a_protected_value() -> None:
    wanted = case_posture(write_masked=True)
    assert plan("INSERT INTO notes(body) SELECT acct FROM archive.cards", posture=wanted).text.startswith(
        "INSERT INTO notes(body) SELECT acct FROM ("
    )
    for sql in (
        "INSERT INTO archive.cards(acct) SELECT acct FROM archive.cards",
        "INSERT INTO archive.cards TABLE archive.cards",
        "UPDATE num_cards SET pan = 1 FROM archive.cards c WHERE c.acct = 'x'",
    ):
        assert code_of(sql, posture=wanted) == "statement.masked_write"


def test_what_cannot_be_filtered_is_not_written() -> None:
    assert (
        code_of("DELETE FROM customers USING orders", filters={"public.customers": "id > 1"})
        == "statement.filter_not_applicable"
    )


TIES = {"num_cards": "1 2", "card_parts": "2 3", "card_parts_2024": "2 3", "customers": "1 2"}


def tied(sql: str, posture: Posture) -> str:
    """The plan's text where each of these relations has a constraint over two columns."""
    oids = {name: str(catalog().relation_names["public", name]) for name in TIES}
    ties = [(oids[name], f"{name}_tie", columns) for name, columns in TIES.items()]
    known = build_catalog({**rows(), "ties": ties}, posture)
    (found,) = understand(sql, known, Scope(search_path=("public",), posture=posture))
    return rewrite(found, obligations(found.statement), known, posture).text


@pytest.mark.parametrize("sql", ["UPDATE num_cards SET id = 5", "MERGE INTO num_cards n USING notes o ON n.id = o.id WHEN MATCHED THEN UPDATE SET id = 5",
                                 "INSERT INTO num_cards(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 5", "UPDATE card_parts SET yr = 2025",
                                 "WITH u AS (UPDATE card_parts_2024 SET yr = 2024) SELECT 1"])  # fmt: skip
def test_a_constraint_that_ties_what_is_assigned_to_what_is_hidden_is_an_oracle(sql: str) -> None:
    with pytest.raises(Refused, match=r"statement\.hidden_code: constraint public"):
        tied(sql, case_posture())
    listed = ("num_cards.num_cards_tie", "card_parts.card_parts_tie", "card_parts_2024.card_parts_2024_tie")
    assert tied(sql, case_posture(triggers=tuple(f"public.{name}" for name in listed))) == sql


@pytest.mark.parametrize("sql", ["UPDATE num_cards SET id = 5, pan = 6", "UPDATE num_cards SET pan_num = 5", "INSERT INTO num_cards(id, pan) VALUES (1, 2)", "DELETE FROM num_cards WHERE id = 1",
                                 "UPDATE card_parts SET pan = '5'", "UPDATE customers SET name = 'x'"])  # fmt: skip
def test_a_constraint_over_what_the_agent_writes_or_may_see_is_none(sql: str) -> None:
    assert tied(sql, case_posture()) == sql


@pytest.mark.parametrize(("sql", "bits"), [("COPY cards FROM STDIN", "4"), ("COPY cards(id) FROM STDIN", "4"), ("TRUNCATE cards", "32")])  # fmt: skip
def test_a_trigger_runs_by_copy_and_truncate_only_when_the_site_lists_it(sql: str, bits: str) -> None:
    trigger = (str(catalog().relation_names["public", "cards"]), "spy", bits)
    known = build_catalog({**rows(), "triggers": [*rows()["triggers"], trigger]}, case_posture())
    for listed in ((), ("public.cards.spy", "public.cards.trg_cards")):
        posture = case_posture(triggers=listed)
        (found,) = understand(sql, known, Scope(search_path=("public",), posture=posture))
        wanted = obligations(found.statement)
        if listed:
            assert rewrite(found, wanted, known, posture).text == sql
        else:
            with pytest.raises(Refused, match=r"statement\.hidden_code: trigger public\.cards\.spy"):
                rewrite(found, wanted, known, posture)
