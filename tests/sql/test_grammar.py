"""The door to libpg_query: nothing crashes the process, nothing deep, huge or broken gets in."""
# ruff: noqa: S608 -- statements are the test data

import contextlib
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.tree import unwrap

DEEP = {
    "operators": "SELECT " + "+".join(["a"] * 40_000),
    "parentheses": "SELECT " + "(" * 40_000 + "1" + ")" * 40_000,
    "prefixes": "SELECT " + "- " * 40_000 + "1",
    "negations": "SELECT " + "NOT " * 40_000 + "true",
    "casts": "SELECT 1" + "::int" * 40_000,
    "subscripts": "SELECT a" + "[1]" * 40_000,
    "calls": "SELECT " + "f(" * 40_000 + "1" + ")" * 40_000,
    "sub-selects": "SELECT * FROM " + "(SELECT * FROM " * 20_000 + "a" + ") x" * 20_000,
    "unions": " UNION ".join(["SELECT 1"] * 20_000),
    "joins": "SELECT 1 FROM a " + " JOIN a ON true" * 20_000,
    "natural joins": "SELECT 1 FROM a " + " NATURAL JOIN a" * 20_000,
    "cases": "SELECT " + "CASE WHEN " * 20_000 + "true" + " THEN 1 END" * 20_000,
    "null tests": "SELECT a" + " IS NULL" * 20_000,
    "collations": "SELECT 'a'" + " COLLATE x" * 40_000,
    "prefixes and parentheses": "SELECT " + ("NOT " * 300 + "(") * 29 + "true" + ")" * 29,
    "prefixes and cases": "SELECT " + ("NOT " * 300 + "CASE WHEN ") * 29 + "true" + " THEN true END" * 29,
    "prefixes and sub-selects": "SELECT " + ("- " * 300 + "(SELECT ") * 29 + "1" + ")" * 29,
    "schema elements": "CREATE SCHEMA a " + "CREATE TABLE b (x int) " * 8_000,
}
WIDE = {
    "conjunctions": "SELECT 1 WHERE " + " AND ".join(["a = 1"] * 5_000),
    "lists": "SELECT 1 WHERE a IN (" + ",".join(["1"] * 20_000) + ")",
    "rows": "INSERT INTO t VALUES " + ",".join(["(1, 2)"] * 10_000),
    "branches": "SELECT CASE " + "WHEN a = 1 THEN 1 " * 1_000 + "END",
    "queries": "WITH " + "".join(f"a{i} AS (SELECT 1)," for i in range(500)) + " z AS (SELECT 1) SELECT 1",
    "statements": "SELECT 1 + 1;" * 1_000,
    "a bit deep": "SELECT " + "(" * 100 + "1" + ")" * 100,
}


def refusal(text: str) -> str:
    with pytest.raises(Refused) as refused:
        grammar.read(text)
    return refused.value.code


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_what_is_too_deep_is_refused_before_it_is_parsed(text: str) -> None:
    assert refusal(text) == "statement.too_deep"


@pytest.mark.parametrize("text", WIDE.values(), ids=WIDE.keys())
def test_what_is_only_wide_is_read(text: str) -> None:
    assert grammar.read(text)


def test_the_deepest_that_is_read_does_not_crash_the_process_in_a_thread_either() -> None:
    script = (
        "import threading\n"
        "from gateway.sql import grammar\n"
        "def go():\n"
        "    for text in ('SELECT ' + '+'.join(['a'] * 390), 'SELECT ' + '(' * 390 + '1' + ')' * 390,\n"
        "                 'SELECT ' + ('NOT ' * 12 + '(') * 29 + 'true' + ('+a' * 12 + ')') * 29):\n"
        "        (statement,) = grammar.read(text)\n"
        "        assert grammar.fingerprint(text)\n"
        "        assert grammar.deparse(statement.stmt.select_stmt)\n"
        "worker = threading.Thread(target=go); worker.start(); worker.join(); print('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT 1\0; DROP TABLE x", "statement.unanalysable"),
        ("SELECT '\udc80'", "statement.unanalysable"),
        ("SELECT 'open", "statement.unanalysable"),
        ("SELECT $a$ open", "statement.unanalysable"),
        ("SELEC 1", "statement.unanalysable"),
        ("SELECT " + " " * grammar.TEXT_MAX, "statement.too_long"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_code(text: str, code: str) -> None:
    assert refusal(text) == code


def test_a_refusal_names_the_place_and_never_the_text() -> None:
    with pytest.raises(Refused) as refused:
        grammar.read("SELECT 'secret' secret secret")
    assert "secret" not in str(refused.value)
    assert "at character" in refused.value.detail


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        grammar.read(text)


def test_comments_are_no_tokens_unless_asked_for() -> None:
    assert len(grammar.scan("SELECT /* a */ 1 -- b")) == 2
    assert len(grammar.scan("SELECT /* a */ 1 -- b", comments=True)) == 4


def test_a_statement_is_written_again_from_its_tree() -> None:
    (statement,) = grammar.read("select   a from b where c=1")
    assert grammar.deparse(unwrap(statement.stmt)) == "SELECT a FROM b WHERE c = 1"


def test_fingerprints_ignore_literals() -> None:
    assert grammar.fingerprint("SELECT 1") == grammar.fingerprint("SELECT 2") != grammar.fingerprint("SELECT a")
    assert len(grammar.fingerprint("SELECT 1")) == 16
    assert grammar.fingerprint("SELEC") == ""
