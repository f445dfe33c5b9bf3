"""Few hits are gathered and sorted, many are walked through by time: the same ones, in the same order."""

from pathlib import Path

import pytest

from gateway.evidence import index_query
from gateway.evidence.index_query import FACETS
from gateway.evidence.index_schema import ENDED
from gateway.evidence.search import Query
from tests.evidence.index_world import finder, found, write


def test_how_it_is_looked_for_makes_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    queries = [Query(), Query(subject="agent-1"), Query(label="pan", since_ns=1), Query(outcome="done")]
    before = [found(tmp_path, query) for query in queries]
    monkeypatch.setattr(index_query, "MANY", 0)
    assert [found(tmp_path, query) for query in queries] == before
    assert len(before[0]) == 12


def test_a_word_that_is_both_a_decisions_outcome_and_a_statements_is_found_as_both(tmp_path: Path) -> None:
    write(tmp_path)
    desk = finder(tmp_path)
    both = desk.index
    both.database.execute("INSERT INTO term (kind, value) VALUES (?, 'deny')", (ENDED,))
    assert len(desk.page(Query(outcome="deny"), 99).hits) == desk.page(Query(outcome="deny"), 1).total > 0
    assert {name: len(desk.facet(Query(), name)) > 0 for name in FACETS} == dict.fromkeys(FACETS, True)
    desk.close()
