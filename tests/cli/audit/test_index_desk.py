"""The index lies in the data folder, or where it is told to, or for once; without one the whole log is read."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway import cli
from gateway.cli.audit import index_desk
from gateway.cli.audit.index_desk import Pass, counted, open_finder, rules_of
from gateway.evidence.index import FILE
from gateway.evidence.index_query import FACETS
from gateway.evidence.search import Query, search
from gateway.policy.store import BundleStore
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import Written, written
from tests.evidence.index_world import write


def test_it_lies_in_the_data_folder_or_where_it_is_told_to(damaged: Written, tmp_path: Path) -> None:
    with open_finder(damaged.folder) as finder:
        assert finder.page(Query(), 9).total == 3
    assert (damaged.folder / "index" / FILE).exists()
    with open_finder(damaged.folder, place=tmp_path / "elsewhere") as finder:
        assert finder.page(Query(), 9).total == 3
    assert (tmp_path / "elsewhere" / FILE).exists()


def test_a_copy_that_cannot_be_written_to_gets_one_for_once(
    desk: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(desk.folder.rglob("*"))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with open_finder(desk.folder) as finder:
        assert finder.page(Query(), 9).total == 3
    assert "for once" in capsys.readouterr().err
    assert sorted(desk.folder.rglob("*")) == before


def test_what_is_said_of_the_index_is_said_beside_the_answer_and_harmless(
    capsys: pytest.CaptureFixture[str],
) -> None:
    index_desk.tell("a\x1b[2J")
    assert capsys.readouterr().err == "a\\x1b[2J\n"


def test_controls_are_those_of_the_bundle_and_none_of_one_that_is_gone(damaged: Written) -> None:
    assert any(rules_of(damaged.folder)(damaged.bundle).values())
    assert rules_of(damaged.folder)("0" * 64) == {}
    (damaged.folder / "bundles" / f"{damaged.bundle}.tar.gz").write_bytes(b"changed")
    assert rules_of(damaged.folder)(damaged.bundle) == {}
    other = BundleStore(damaged.folder).keep(b"no bundle")
    assert rules_of(damaged.folder)(other) == {}


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pass")
    write(folder)
    return folder


def test_a_pass_over_the_log_answers_as_the_index_does(passed: Path) -> None:
    with open_finder(passed) as finder:
        plain = Pass(passed)
        for query in (Query(), Query(subject="agent-1"), Query(text="from cards"), Query(outcome="done")):
            first = finder.page(query, 3)
            assert plain.page(query, 3) == first
            after = first.hits[-1].did
            assert plain.page(query, 3, after) == finder.page(query, 3, after)
            assert {name: plain.facet(query, name) for name in FACETS} == {n: finder.facet(query, n) for n in FACETS}
    with pytest.raises(KeyError):
        plain.page(Query(), 3, "nothing")


def test_counting_is_by_value_the_most_frequent_first(passed: Path) -> None:
    counts = counted(search(passed, Query(), 0), "agent")
    assert sorted(count.value for count in counts) == ["", "agent-0", "agent-1"]
    assert [-count.decisions for count in counts] == sorted(-count.decisions for count in counts)


def test_what_root_leaves_belongs_to_the_folders_owner(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs this test: as root the folder is another account's, as anybody else it is one's own."""
    monkeypatch.delenv("SUDO_USER", raising=False)
    owner = 54_321 if os.geteuid() == 0 else os.geteuid()
    with TemporaryDirectory(prefix="querywarden-owned-") as top:  # pytest's folders are closed to other accounts
        folder = written(Path(top) / "var").folder
        for path in [Path(top), *Path(top).rglob("*")]:
            os.chown(path, owner, -1)
        assert cli.main(["audit", "search", "--data", str(folder)]) == cli.DONE
        assert "3 decisions" in capsys.readouterr().out
        assert {path.stat().st_uid for path in Path(top).rglob("*")} == {owner}
        assert len(accesses(folder)) == 1
