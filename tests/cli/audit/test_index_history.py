"""An exported history answers every question as the log's index does, or says that it was changed."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.cli.audit.index_desk import open_finder
from gateway.cli.audit.index_history import HistoryDesk
from gateway.cli.policy.parquet import write_history
from gateway.cli.policy.past import LoggedPast, Period
from gateway.core.errors import ConfigError
from gateway.evidence.finder import Finder, Page
from gateway.evidence.index_query import FACETS
from gateway.evidence.search import Query
from gateway.policy.store import BundleStore
from tests.cli.audit.world import Written, written
from tests.evidence.index_world import write
from tests.evidence.test_finder import QUERIES
from tests.evidence.world import NOW, TickClock


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decisions of two kinds of bundles, one of them kept, on two days."""
    folder = written(tmp_path_factory.mktemp("history") / "var").folder
    write(folder, clock=TickClock(NOW + 10**12))
    write(folder, start=12, clock=TickClock(NOW + 86_400 * 10**9))
    return folder


@pytest.fixture(scope="module")
def exported(log: Path) -> Path:
    write_history(LoggedPast(log, Period()), BundleStore(log), log.parent / "history", lambda *_: None)
    return log.parent / "history"


@pytest.fixture(scope="module")
def finder(log: Path) -> Iterator[Finder]:
    with open_finder(log) as finder:
        yield finder


@pytest.fixture(scope="module")
def history(exported: Path) -> HistoryDesk:
    return HistoryDesk(exported)


@given(QUERIES, st.sampled_from(FACETS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_answer_alike(finder: Finder, history: HistoryDesk, query: Query, name: str) -> None:
    assert history.page(query, 1000) == finder.page(query, 1000)
    assert history.facet(query, name) == finder.facet(query, name)


def test_pages_follow_each_other_alike(finder: Finder, exported: Path) -> None:
    desk, after = HistoryDesk(exported), ""
    assert len(list((exported / "decisions").iterdir())) == 2
    while True:
        page = desk.page(Query(outcome="deny"), 4, after)
        assert page == finder.page(Query(outcome="deny"), 4, after)
        if not page.hits:
            break
        after = page.hits[-1].did
    with pytest.raises(KeyError):
        desk.page(Query(), 4, "' OR 1=1 --")


def test_an_export_of_before_these_columns_is_searched_without_them(desk: Written, tmp_path: Path) -> None:
    write_history(LoggedPast(desk.folder, Period()), BundleStore(desk.folder), tmp_path / "new", lambda *_: None)
    day = next((tmp_path / "new/decisions").iterdir())
    (tmp_path / "old/decisions" / day.name).mkdir(parents=True)
    columns = f"SELECT * EXCLUDE (epoch, leaf, refused, ended, day) FROM '{day}/*.parquet'"  # noqa: S608 -- ours
    duckdb.execute(f"COPY ({columns}) TO '{tmp_path}/old/decisions/{day.name}/0.parquet' (FORMAT parquet)")
    (tmp_path / "new/documents").rename(tmp_path / "old/documents")
    page = HistoryDesk(tmp_path / "old").page(Query(), 9)
    assert {hit.did for hit in page.hits} == {desk.by_policy, desk.hostile, desk.refused}
    assert {(hit.ended, hit.leaf) for hit in page.hits} == {("", 0)}


def test_a_document_that_was_changed_is_not_searched(desk: Written, tmp_path: Path) -> None:
    write_history(LoggedPast(desk.folder, Period()), BundleStore(desk.folder), tmp_path / "h", lambda *_: None)
    file = next((tmp_path / "h/documents").iterdir())
    changed = f"SELECT sha256, text || ' ' AS text FROM '{file}'"  # noqa: S608 -- ours
    duckdb.execute(f"COPY ({changed}) TO '{file}2' (FORMAT parquet)")
    Path(f"{file}2").rename(file)
    with pytest.raises(ValueError, match="was changed"):
        HistoryDesk(tmp_path / "h").page(Query(), 9)
    with pytest.raises(ConfigError):
        HistoryDesk(tmp_path)


def test_a_period_without_decisions_is_searched_and_damage_is_said(desk: Written, tmp_path: Path) -> None:
    empty = LoggedPast(desk.folder, Period(0, 1))
    assert write_history(empty, BundleStore(desk.folder), tmp_path / "none", lambda *_: None) == (0, 0)
    assert HistoryDesk(tmp_path / "none").page(Query(text="x"), 9) == Page((), 0)
    assert HistoryDesk(tmp_path / "none").facet(Query(), "agent") == []
    write_history(LoggedPast(desk.folder, Period()), BundleStore(desk.folder), tmp_path / "h", lambda *_: None)
    day = next((tmp_path / "h/decisions").iterdir())
    file = next(day.iterdir())
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ValueError, match="cannot be read"):
        HistoryDesk(tmp_path / "h").page(Query(), 9)
