"""Pairs of statements and what is sent in their place, kept as data; and what holds of every rewritten text."""
# ruff: noqa: E501 -- a table of statements, one a line
# ruff: noqa: SIM905 -- a list of words

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.core.verdict import Mask, Obligations
from gateway.sql import grammar
from gateway.sql.model import Prepare
from gateway.sql.rewrite import rewrite
from gateway.sql.tree import walk
from tests.sql import payments
from tests.sql.payments import catalog, one, plan
from tests.support import rules

CORPUS = Path(__file__).parents[1] / "corpus/sql/rewrites.yaml"


class Pair(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry; the head of the file says what the fields mean."""

    sql: str
    text: str = ""
    same: bool = False
    refused: str = ""
    clear: tuple[str, ...] = ()
    filters: dict[str, str] = {}


class Pairs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    shown: Mapping[str, str]
    pairs: tuple[Pair, ...]


FILE = msgspec.convert(yaml.safe_load(CORPUS.read_text(encoding="utf-8")), Pairs)


def wanted(pair: Pair) -> str:
    if pair.same:
        return pair.sql
    text = pair.text
    for name, shown in FILE.shown.items():
        text = text.replace(f"<{name}>", shown)
    return text


@pytest.mark.parametrize("pair", FILE.pairs, ids=[f"{n} {pair.sql[:60]}" for n, pair in enumerate(FILE.pairs)])
def test_a_statement_becomes_its_pair(pair: Pair) -> None:
    if pair.refused:
        with pytest.raises(Refused) as refused:
            plan(pair.sql, clear=pair.clear, filters=pair.filters)
        assert refused.value.code == pair.refused
    else:
        assert plan(pair.sql, clear=pair.clear, filters=pair.filters).text == wanted(pair)


SPLICED = (
    "cards",
    "public.cards",
    "ONLY cards",
    '"cards"',
    "cards AS c",
    "archive.cards",
    "v_cards",
    "mv_cards x(a, b)",
)
AROUND = (
    "SELECT * FROM {} -- конец",
    "SELECT '💳💳' AS \"ключ\", * FROM {} WHERE true /* {{}} */",
    "WITH a AS (SELECT * FROM {}) SELECT E'\\'', $ё${{}}$ё$, a.* FROM a",
    "SELECT 1 FROM customers WHERE EXISTS (SELECT * FROM {} LIMIT 1)",
    "(SELECT * FROM {}) UNION ALL (SELECT * FROM {} LIMIT 1)",
    "EXPLAIN (COSTS OFF) SELECT * FROM {}, LATERAL (SELECT * FROM {} LIMIT 1) ы",
    "COPY (SELECT * FROM {}) TO STDOUT",
)


@given(st.sampled_from(AROUND), st.lists(st.sampled_from(SPLICED), min_size=2, max_size=2))
def test_what_stands_around_a_reference_stays_byte_for_byte(around: str, names: list[str]) -> None:
    text = around.format(*names)
    found = plan(text)
    assert found.edited is not None
    kept = [segment for segment in found.edited.segments if not segment.made]
    raw, new = text.encode(), found.text.encode()
    assert b"".join(raw[s.source : s.source + s.stop - s.start] for s in kept) == b"".join(
        new[s.start : s.stop] for s in kept
    )
    removed = len(raw) - sum(s.stop - s.start for s in kept)
    assert removed <= sum(len(name.encode()) for name in names)


@given(st.sampled_from(AROUND), st.lists(st.sampled_from(SPLICED), min_size=2, max_size=2))
def test_no_bare_governed_reference_is_left_outside_the_sub_selects(around: str, names: list[str]) -> None:
    found = plan(around.format(*names))
    assert found.edited is not None
    (statement,) = grammar.read(found.text)
    for node in walk(statement.stmt):
        if type(node).__name__ == "RangeVar" and node.relname in {"cards", "v_cards", "mv_cards"}:  # type: ignore[attr-defined]  # a RangeVar
            assert found.edited.origin(node.location) is None  # type: ignore[attr-defined]  # a RangeVar


WORDS = st.sampled_from(
    "SELECT FROM WHERE ( ) , * . 'x' $1 cards public archive notes v_cards pan id c AS WITH RECURSIVE UNION JOIN ON USING NATURAL "
    "INSERT INTO VALUES UPDATE SET DELETE RETURNING TABLE ONLY LATERAL EXPLAIN CASE WHEN END = :: text GROUP BY NOT TEMP FOR".split()
)
STATEMENTS = st.sampled_from([pair.sql for pair in FILE.pairs])


@given(STATEMENTS, st.lists(st.tuples(st.floats(0, 1), st.booleans(), WORDS), max_size=4))
def test_any_statement_becomes_a_plan_or_a_refusal(sql: str, changes: list[tuple[float, bool, str]]) -> None:
    words = sql.split(" ")
    for where, replace, word in changes:
        at = int(where * len(words))
        words[at : at + replace] = [word]
    for understood in payments.read(" ".join(words)):
        asked = rules.obligations(understood.statement)
        with contextlib.suppress(Refused):
            rewritten = rewrite(understood, asked, catalog(), Posture())
            assert len(grammar.read(rewritten.text)) == 1


def test_the_plan_says_what_is_masked_and_what_conditions_see_masked() -> None:
    found = plan("SELECT cvv FROM cards WHERE pan = 'x'")
    assert found.masked == (
        Mask(schema="public", relation="cards", column="cvv", method="null"),
        Mask(schema="public", relation="cards", column="pan", method="last4"),
    )
    assert [mask.column for mask in found.predicates_on_masked] == ["pan"]
    assert found.governed


def test_a_cleared_column_is_expected_raw_and_no_other_one() -> None:
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    pan = cards.column("pan")
    assert pan is not None
    assert plan("SELECT pan FROM cards", clear=("public.cards.pan",)).expected_raw == {(cards.oid, pan.attnum)}
    assert plan("SELECT pan FROM cards").expected_raw == frozenset()
    assert plan("SELECT id FROM cards").expected_raw == frozenset()


def test_a_statement_without_governed_relations_is_no_concern() -> None:
    found = plan("SELECT name FROM customers")
    assert (found.text, found.edited, found.masked, found.governed) == ("SELECT name FROM customers", None, (), False)


def test_execute_is_sent_as_it_is_and_masks_what_was_prepared() -> None:
    prepared = one("PREPARE p AS SELECT pan FROM cards")
    assert prepared.effect == Prepare("p")
    execute = one("EXECUTE p", prepared={"p": prepared})
    masks = (Mask(schema="public", relation="cards", column="pan", method="last4"),)
    found = rewrite(execute, Obligations(masks=masks), catalog(), Posture())
    assert (found.text, found.masked, found.governed) == ("EXECUTE p", masks, True)


def test_masked_rows_of_a_prepared_statement_are_not_stored() -> None:
    prepared = one("PREPARE p AS SELECT pan FROM cards")
    masks = (Mask(schema="public", relation="cards", column="pan", method="last4"),)
    store = one("CREATE TABLE t AS EXECUTE p", prepared={"p": prepared})
    with pytest.raises(Refused, match=r"statement\.cannot_rewrite"):
        rewrite(store, Obligations(masks=masks), catalog(), Posture())
    kept = one("CREATE TEMP TABLE t AS EXECUTE p", prepared={"p": prepared})
    assert rewrite(kept, Obligations(masks=masks), catalog(), Posture()).text == "CREATE TEMP TABLE t AS EXECUTE p"


def test_what_was_not_read_is_refused() -> None:
    with pytest.raises(Refused, match=r"statement\.unanalysable"):
        plan("SELEC pan FROM cards")


@pytest.mark.parametrize(
    "bad", [("public", "cards", "nosuch"), ("public", "nosuch", "pan"), ("nosuch", "cards", "pan")]
)
def test_a_mask_on_what_does_not_exist_is_refused(bad: tuple[str, str, str]) -> None:
    schema, relation, column = bad
    mask = Mask(schema=schema, relation=relation, column=column, method="null")
    with pytest.raises(Refused, match=r"obligation\.unsupported"):
        rewrite(one("SELECT pan FROM cards"), Obligations(masks=(mask,)), catalog(), Posture())


def test_a_labelled_column_policy_was_not_asked_about_is_null() -> None:
    found = rewrite(one("SELECT x.brand FROM cards AS x(a)"), Obligations(), payments.catalog(), Posture())
    assert "NULL::text AS pan, NULL::text AS cvv" in found.text
