"""What was left out of an index, or counted wrong in it, shows beside one that was derived anew."""

from pathlib import Path

import pytest

from gateway.evidence.index import FILE, Index, create
from gateway.evidence.index_build import update
from gateway.evidence.index_compare import compare
from gateway.evidence.view import open_views
from tests.evidence.index_world import rules_of, write


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT 1", []),
        ("DELETE FROM decision WHERE id = (SELECT max(id) FROM decision)", ["decisions"]),
        ("UPDATE decision SET shape = 1", ["decisions"]),
        ("DELETE FROM asked_term", ["documents"]),
        ("UPDATE said SET folded = 'harmless'", ["documents"]),
        ("DELETE FROM reasons_term", ["reasons"]),
        ("DELETE FROM force", ["activations"]),
    ],
)
def test_what_was_touched_is_named(tmp_path: Path, sql: str, names: list[str]) -> None:
    write(tmp_path)
    pair = []
    for name in ("one", "other"):
        create(tmp_path / name / FILE)
        index = Index(tmp_path / name / FILE)
        update(index, open_views(tmp_path), rules_of)
        pair.append(index)
    pair[0].database.execute(sql)
    assert list(compare(*pair)) == names
    for index in pair:
        index.close()
