"""What the index finds is what the log says; an index that says something else is thrown away, and that is said."""

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.errors import ConfigError
from gateway.evidence.finder import Finder
from gateway.evidence.index import FILE
from gateway.evidence.index_query import FACETS
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.search import Hit, Query, search
from gateway.evidence.view import open_views
from tests.evidence.index_world import STATEMENTS, finder, found, rules_of, write
from tests.evidence.world import NOW

ALL = [f"d{number}" for number in range(11, -1, -1)]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finder")
    write(folder)
    return folder


@pytest.fixture(scope="module")
def desk(log: Path) -> Iterator[Finder]:
    desk = finder(log)
    yield desk
    desk.close()


@pytest.fixture
def changed(log: Path, tmp_path: Path) -> Path:
    """A copy with an index, to be changed."""
    copy = tmp_path / "copy"
    shutil.copytree(log, copy)
    found(copy)
    return copy


QUERIES = st.builds(
    Query,
    subject=st.sampled_from(["", "", "agent-0", "agent-1", "maria", "nobody", "' OR 1=1 --"]),
    connection=st.sampled_from(["", "", "payments", "hr"]),
    action=st.sampled_from(["", "", "select", "drop"]),
    outcome=st.sampled_from(["", "", "allow", "deny", "done", "outcome_unknown", "nothing"]),
    code=st.sampled_from(["", "", "access.granted", "pci.pan", "statement.unanalysable", "%"]),
    control=st.sampled_from(["", "", "3.4.1", "PCI-DSS-4.0.1/7.2.5", "4.1"]),
    relation=st.sampled_from(["", "", "cards", "public.cards", "card", "%"]),
    label=st.sampled_from(["", "", "pan", "cvv"]),
    bundle=st.sampled_from(["", "", "b", "bbbb", "c", "_"]),
    text=st.sampled_from(["", "", "FROM cards", "from", "äöü", "?", 'select "', "%", "NEAR(a b)", "*", "a OR b", "\0"]),
    statement=st.sampled_from(["", "", *STATEMENTS, "select ?"]),
    session=st.sampled_from(["", "", "s0-0", "s1-0", "x"]),
    since_ns=st.sampled_from([0, 0, NOW + 10_000_000, NOW + 30_000_000]),
    until_ns=st.sampled_from([Query().until_ns, Query().until_ns, NOW + 40_000_000, NOW]),
)  # fmt: skip


@given(QUERIES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_index_finds_what_a_pass_over_the_log_finds(log: Path, desk: Finder, query: Query) -> None:
    page = desk.page(query, 1000)
    assert list(page.hits) == list(search(log, query, 1000, rules=rules_of))
    assert page.total == len(page.hits)


@given(QUERIES, st.sampled_from(FACETS))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_facets_count_what_is_found(log: Path, desk: Finder, query: Query, name: str) -> None:
    expected = Counter(value for hit in search(log, query, 1000, rules=rules_of) for value in values(hit, name))
    counts = desk.facet(query, name)
    assert {count.value: count.decisions for count in counts} == expected
    assert [-count.decisions for count in counts] == sorted(-count.decisions for count in counts)


def values(hit: Hit, name: str) -> set[str]:
    one = {"agent": hit.subject, "person": hit.on_behalf_of, "bundle": hit.bundle}
    if name in one:
        return {one[name]}
    if name == "ended":
        return {hit.ended} - {""}
    sets = {"relation": hit.relations, "label": hit.labels, "rule": hit.codes, "control": hit.controls}
    return set(sets[name]) if name in sets else {str(getattr(hit, name))}


def test_pages_follow_each_other_without_a_gap(desk: Finder) -> None:
    ids: list[str] = []
    while page := [hit.did for hit in desk.page(Query(), 5, ids[-1] if ids else "").hits]:
        ids += page
    assert ids == ALL
    with pytest.raises(KeyError):
        desk.page(Query(), 5, "nothing")


def test_what_is_written_later_is_taken_in_and_nothing_is_said_of_it(changed: Path) -> None:
    write(changed, start=12, count=4)
    said: list[str] = []
    assert found(changed, said=said)[:5] == ["d15", "d14", "d13", "d12", "d11"]
    assert said == []


def broken(path: Path, how: str) -> None:
    if how == "gone":
        path.unlink()
    elif how == "cut":
        os.truncate(path, 5000)
    elif how == "garbage":
        path.write_bytes(b"garbage" * 1000)
    elif how == "empty":
        path.write_bytes(b"")
    else:
        with closing(sqlite3.connect(path)) as database:
            database.executescript(how)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("gone", ""),
        ("cut", "damaged"),
        ("garbage", "damaged"),
        ("empty", "it is none"),
        ("PRAGMA user_version = 7", "another version"),
        ("DROP TABLE decision", "damaged"),
        ("DROP TABLE word", ""),
        ("UPDATE log SET last = x'00', kept_last = x'00'", "others"),
        ("UPDATE log SET done = 10000000", ""),
        ("INSERT INTO log VALUES (9, 'elsewhere', 0, x'', 0, x'')", "does not lie here"),
        ("UPDATE decision SET t = t + 1", "is not the decision it says"),
        ("UPDATE decision SET id = id + 100000", "has no leaf"),
        ("UPDATE decision SET id = id | (7 << 40)", "there is no log"),
        ("UPDATE decision SET end_leaf = 1 WHERE end_leaf > 0", "not the end of"),
        ("UPDATE decision SET end_leaf = -4 WHERE end_leaf > 0", "has no leaf -4"),
        ("UPDATE decision SET t = 'soon'", ""),
    ],
)  # fmt: skip
def test_a_broken_or_poisoned_index_is_built_again_and_that_is_said(changed: Path, how: str, why: str) -> None:
    for side in ("-wal", "-shm"):
        (changed / "index" / f"{FILE}{side}").unlink(missing_ok=True)
    broken(changed / "index" / FILE, how)
    said: list[str] = []
    assert found(changed, said=said) == ALL
    if why:
        assert why in said[0]
    said.clear()
    assert found(changed, said=said) == ALL
    assert said == []


@pytest.mark.parametrize(
    ("sql", "query"),
    [
        ("UPDATE shape SET agent = (SELECT id FROM term WHERE value = 'agent-0')", Query(subject="agent-0")),
        ("UPDATE said SET folded = 'harmless'; DROP TABLE word", Query(text="harmless")),
        (
            "INSERT OR IGNORE INTO asked_term SELECT a.id, t.id FROM asked a, term t WHERE t.kind = 6",
            Query(relation="cards"),
        ),
        ("UPDATE term SET value = 'deny' WHERE value = 'done'", Query(outcome="deny")),
    ],
)  # fmt: skip
def test_a_hit_that_the_log_does_not_bear_out_is_never_shown(changed: Path, sql: str, query: Query) -> None:
    broken(changed / "index" / FILE, sql)
    assert found(changed, query) == [hit.did for hit in search(changed, query, 1000)]


def test_a_decision_that_the_index_leaves_out_is_found_by_its_id(changed: Path) -> None:
    said: list[str] = []
    broken(changed / "index" / FILE, "DELETE FROM decision WHERE id = (SELECT max(id) FROM decision)")
    desk = finder(changed, said)
    with closing(desk):
        last = desk.latest(Query())
        assert last is not None
        assert desk.page(Query(), 1).hits[0].did != last.did
        assert [place.decided for place in desk.places(last.did)] == [last.leaf]
        assert said == [f"the index is built again from the log: it leaves out {last.did}"]
        assert desk.page(Query(), 1).hits == (last,)
        assert desk.places("01ba60d3-3801-7977-9650-a75052143077") == []
        assert len(said) == 1


def test_what_was_lost_behind_the_checkpoint_is_forgotten(log: Path, tmp_path: Path) -> None:
    """The write-ahead log may lose its tail in a crash; other leaves then get those numbers."""
    short, longer = tmp_path / "short", tmp_path / "longer"
    for copy in (short, longer):
        shutil.copytree(log, copy, ignore=shutil.ignore_patterns("index"))
    write(longer, start=12, count=4)
    desk = finder(longer, place=short / "index")
    assert desk.page(Query(), 1).hits[0].did == "d15"
    third = leaf_hash(next(iter(open_views(log))).leaf(2))
    desk.index.database.execute("UPDATE log SET kept = 3, kept_last = ?", (third,))
    desk.close()
    write(short, start=20, count=4)
    said: list[str] = []
    assert found(short, said=said)[:5] == ["d23", "d22", "d21", "d20", "d11"]
    assert said == []
    assert found(short, Query(outcome="done")) == [hit.did for hit in search(short, Query(outcome="done"), 100)]


@pytest.mark.parametrize("linked", ["index", f"index/{FILE}", f"index/{FILE}-wal", "index/lock"])
def test_the_index_is_never_written_through_a_link(log: Path, tmp_path: Path, linked: str) -> None:
    copy, target = tmp_path / "copy", tmp_path / "target"
    shutil.copytree(log, copy, ignore=shutil.ignore_patterns("index"))
    if linked == "index":
        target.mkdir()
    else:
        (copy / "index").mkdir()
        target.write_bytes(b"precious")
    (copy / linked).symlink_to(target)
    with pytest.raises((ConfigError, OSError)):
        found(copy)
    assert target.is_dir() or target.read_bytes() == b"precious"


def test_a_hard_link_is_none_either(changed: Path, tmp_path: Path) -> None:
    os.link(changed / "index" / FILE, tmp_path / "other-name")
    with pytest.raises(ConfigError, match="link"):
        found(changed)


def test_the_index_is_for_its_owner_alone(changed: Path) -> None:
    assert (changed / "index").stat().st_mode & 0o077 == 0
    assert [path for path in (changed / "index").iterdir() if path.stat().st_mode & 0o077] == []


def test_each_decision_is_found_by_its_id_with_its_end_and_its_bundles_activation(desk: Finder) -> None:
    (place,) = desk.places("d1")
    assert place.activated is not None
    assert place.activated < place.decided
    assert place.finished == place.decided + 1
    assert desk.places("d4")[0].activated is None
    assert desk.places("nothing") == []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE decision SET did = (SELECT d.did FROM decision d ORDER BY d.id LIMIT 1)",
        "UPDATE force SET id = id + 1",
        "UPDATE decision SET end_leaf = end_leaf + 1",
    ],
)
def test_what_the_index_says_of_one_decision_is_held_against_the_log(changed: Path, sql: str) -> None:
    broken(changed / "index" / FILE, sql)
    said: list[str] = []
    desk = finder(changed, said)
    (place,) = [place for did in ("d0", "d1") for place in desk.places(did) if place.finished]
    assert place.finished == place.decided + 1
    assert len(said) == 1
    desk.close()
