"""What was pruned from the log is not kept in the index either: no decision, no name, no statement."""

import asyncio
from pathlib import Path

import pytest

from gateway.evidence.index_compare import compare
from gateway.evidence.search import Query, search
from tests.evidence.index_world import finder, found, write
from tests.evidence.test_pruning import BORN, DAY, pruned
from tests.evidence.world import TickClock, whole_log


async def test_what_was_pruned_is_forgotten_with_its_names_and_its_statements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    clock = TickClock(BORN)
    folder = tmp_path / "var"
    await asyncio.to_thread(whole_log, folder, sessions=30, statements=12, clock=clock)
    clock.forward(100 * 86_400)
    await asyncio.to_thread(write, folder, clock=clock)
    assert "SELECT name FROM customers".casefold() in said(folder)
    before = found(folder)
    await pruned(folder, BORN + 50 * DAY)
    told: list[str] = []
    left = found(folder, said=told)
    assert left == [hit.did for hit in search(folder, Query(), 9999)]
    assert len(left) < len(before)
    assert told == []
    assert found(folder, Query(text="from cards")) == [h.did for h in search(folder, Query(text="from cards"), 9999)]
    fresh = tmp_path / "fresh"
    desk, other = finder(folder), finder(folder, place=fresh)
    assert list(compare(desk.index, other.index)) == []
    for table in ("term", "said", "shape", "session", "asked", "reasons"):
        count = f"SELECT count(*) FROM {table}"  # noqa: S608 -- ours
        assert desk.index.one(count) == other.index.one(count)
    desk.close()
    other.close()


def said(folder: Path) -> set[str]:
    desk = finder(folder)
    texts = {str(text) for (text,) in desk.index.database.execute("SELECT folded FROM said")}
    desk.close()
    return texts
