"""Which changes of the search path are followed, and what is sent for them."""
# ruff: noqa: E501 -- tables of statements

import pytest

from gateway.core.errors import Refused
from gateway.core.verdict import Obligations
from gateway.sql.model import SetPath
from gateway.sql.paths import LENGTH_MAX, SCHEMAS_MAX, path_set_by, pinned_behind
from gateway.sql.rewrite import rewrite
from tests.sql.payments import OPEN, catalog, hazards, one
from tests.support import rules

FOLLOWED = [
    ("SET search_path = shop", ("shop",), "SET search_path TO shop, pg_temp"),
    ("set SESSION search_path to 'Shop', PUBLIC", ("Shop", "public"), 'SET search_path TO "Shop", public, pg_temp'),
    ("SET SCHEMA 'a b'", ("a b",), 'SET search_path TO "a b", pg_temp'),
    ("SET search_path = ''", (), "SET search_path TO pg_temp"),
    ("SET search_path = pg_catalog, shop, pg_temp", ("shop",), "SET search_path TO shop, pg_temp"),
    ("SET search_path = 'it''s \"x\"'", ('it\'s "x"',), 'SET search_path TO "it\'s ""x""", pg_temp'),
    ("RESET search_path", None, "RESET search_path"),
    ("SET search_path TO DEFAULT", None, "SET search_path TO DEFAULT"),
    ("RESET ALL", None, "RESET ALL"),
    ("SELECT pg_catalog.set_config('search_path', '', false);", (), "SELECT pg_catalog.set_config('search_path', 'pg_temp', false);"),
    ("SELECT set_config('Search_Path', 'Shop, \"Q\"\"o'', x\" ,b', false) AS x", ("shop", "Q\"o', x", "b"), "SELECT set_config('Search_Path', 'shop, \"Q\"\"o'', x\", b, pg_temp', false) AS x"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "path", "sent"), FOLLOWED)
def test_a_plain_change_is_followed_and_temporary_relations_stay_behind(
    sql: str, path: tuple[str, ...] | None, sent: str
) -> None:
    found = one(sql)
    assert found.effect == SetPath(path)
    assert hazards(sql) == []
    assert rewrite(found, Obligations(), catalog(), rules.case_posture()).text.removesuffix(";") == sent.removesuffix(
        ";"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "SET LOCAL search_path = shop", "SET search_path = '$user', public", "SET search_path = pg_temp, public", "SET search_path = public, pg_catalog",
        "SET search_path = pg_temp_3", "SET search_path = pg_toast", "SET search_path FROM CURRENT", "SET search_path = 1", f"SET search_path = {'a' * (LENGTH_MAX + 1)!r}",
        f"SET search_path = {', '.join(f's{n}' for n in range(SCHEMAS_MAX + 1))}", "SELECT set_config('search_path', 'shop', true)", "SELECT set_config('search_path', 'shop,', false)",
        "SELECT set_config('search_path', 'a b', false)", "SELECT set_config('search_path', 'ä', false)", "SELECT set_config('search_path', 'x', false), 1",
        "SELECT set_config('search_path', 'x', false) WHERE true", "SELECT set_config('search_path', 'x', false) FROM cards", "SELECT set_config('search_path', 'x', false) LIMIT 0",
        "SELECT set_config('search_path', 'x', false) UNION SELECT 'x'", "WITH c AS (SELECT 1) SELECT set_config('search_path', 'x', false)", "SELECT set_config('search_path', 'x', 1 < 2)",
        "SELECT length(set_config('search_path', 'x', false))", "EXPLAIN ANALYZE SELECT set_config('search_path', 'x', false)", "PREPARE p AS SELECT set_config('search_path', 'x', false)",
        "DECLARE c CURSOR FOR SELECT set_config('search_path', 'x', false)", "SELECT other.set_config('search_path', 'x', false)", "SELECT set_config(DISTINCT 'search_path', 'x', false)",
        "SELECT set_config('search_path', 'x', false) OVER ()", "SELECT set_config(VARIADIC 'search_path', 'x', false)",
    ],
)  # fmt: skip
def test_any_other_change_is_a_hazard(sql: str) -> None:
    assert {"setting.pinned", "setting.not_literal", "statement.unanalysable"}.intersection(hazards(sql))
    assert not isinstance(one(sql).effect, SetPath)


def test_a_literal_of_another_kind_is_refused_rather_than_misread() -> None:
    for literal in (r"U&'\0073'", "U&'!0073' UESCAPE '!'", "'a'\n'b'"):
        found = one(f"SELECT set_config('search_path', {literal}, false)")
        if isinstance(found.effect, SetPath):
            try:
                sent = pinned_behind(found, found.effect).text
            except Refused:
                continue
            assert isinstance(one(sent).effect, SetPath)
            assert one(sent).effect == found.effect


def test_in_open_posture_the_text_stays_as_it_is() -> None:
    for sql, _, _ in FOLLOWED:
        assert rewrite(one(sql, posture=OPEN), Obligations(), catalog(), OPEN).text == one(sql).text


def test_what_sets_no_path_gives_none() -> None:
    for sql in ("SELECT 1", "SET application_name = 'x'", "SHOW search_path", "RESET work_mem", "BEGIN"):
        tree = one(sql).tree
        assert tree is not None
        assert path_set_by(tree) is None
