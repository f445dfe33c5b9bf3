"""The index is built in steps, says how far it is, knows a folder's logs apart, and works without full text."""

from pathlib import Path

import pytest

from gateway.evidence import index as index_module
from gateway.evidence import index_build
from gateway.evidence.index import FILE, Index, create
from gateway.evidence.index_build import folded_of, update
from gateway.evidence.search import Query, search
from gateway.evidence.view import open_views
from tests.evidence.index_world import found, rules_of, write


def test_it_is_built_in_steps_and_says_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(index_build, "BATCH", 7)
    monkeypatch.setattr(index_build, "MAX_CACHED", 2)
    create(tmp_path / "index" / FILE)
    index, told = Index(tmp_path / "index" / FILE), list[tuple[int, int]]()
    (view,) = open_views(tmp_path)
    assert update(index, [view], rules_of, lambda done, total: told.append((done, total))) == view.size
    assert told[:2] == [(7, view.size), (14, view.size)]
    assert told[-1] == (view.size, view.size)
    assert update(index, [view], rules_of) == 0
    index.close()
    assert found(tmp_path, Query(outcome="done")) == [h.did for h in search(tmp_path, Query(outcome="done"), 99)]


def test_without_full_text_everything_is_found_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(index_module, "FULL_TEXT", "no such statement")
    query = Query(text="from cards")
    assert found(tmp_path, query) == [hit.did for hit in search(tmp_path, query, 99)]


def test_a_second_epoch_is_taken_in_beside_the_first_and_one_id_in_both_is_found_in_both(tmp_path: Path) -> None:
    write(tmp_path, count=4)
    (tmp_path / "keys" / "mac-1.key").write_text("no key")
    write(tmp_path, start=2, count=4)
    assert found(tmp_path) == ["d5", "d4", "d3", "d2", "d3", "d2", "d1", "d0"]


def test_a_document_that_was_changed_does_not_keep_the_others_from_being_found(tmp_path: Path) -> None:
    write(tmp_path)
    victim = max(
        (tmp_path / "objects").rglob("*"), key=lambda path: b"DROP" in (path.read_bytes() if path.is_file() else b"")
    )
    victim.write_bytes(b"{}")
    assert "d0" in found(tmp_path, Query(text="from cards"))


def test_a_text_is_folded_so_that_it_can_be_stored() -> None:
    assert folded_of("SELECT Ä\0\udc80ß") == "select ä\ufffd?ss"
