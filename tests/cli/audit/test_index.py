"""`audit index` builds, compares and exports; what was changed in an index is named and replaced."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.index import FILE
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import Written


def run(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> tuple[int, dict[str, object], str]:
    code = cli.main(["audit", "index", "--data", str(folder), "--json", *arguments])
    said = capsys.readouterr()
    return code, json.loads(said.out or "{}"), said.err


def test_it_is_brought_up_to_the_log(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = run(capsys, damaged.folder)
    assert (code, said["decisions"]) == (cli.DONE, 3)
    assert cli.main(["audit", "index", "--data", str(damaged.folder), "--check"]) == cli.DONE
    assert capsys.readouterr().out.splitlines()[-1].split() == ["changed", "nothing"]
    assert accesses(damaged.folder) == []


def test_what_was_changed_in_it_is_named_and_replaced(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, damaged.folder)
    with closing(sqlite3.connect(damaged.folder / "index" / FILE)) as database:
        database.executescript("DELETE FROM decision WHERE id = (SELECT max(id) FROM decision)")
    code, said, err = run(capsys, damaged.folder, "--check")
    assert (code, said["changed"]) == (cli.SAYS_NO, ["decisions"])
    assert "replaced" in err
    code, said, _ = run(capsys, damaged.folder, "--check")
    assert (code, said["changed"], said["decisions"]) == (cli.DONE, [], 3)
    assert not (damaged.folder / "index" / "anew" / FILE).exists()


def test_an_export_is_recorded_and_searched_like_the_log(
    damaged: Written, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, said, _ = run(capsys, damaged.folder, "--export", "parquet", "-o", str(tmp_path / "h"), "--as", "eve")
    assert (code, said["decisions"]) == (cli.DONE, 3)
    (leaf,) = accesses(damaged.folder)
    assert (leaf.act, leaf.facts()["arguments"]) == ("index", {"export": "parquet"})
    answers = []
    for where in (["--history", str(tmp_path / "h")], ["--data", str(damaged.folder)]):
        assert cli.main(["audit", "search", *where, "--json"]) == cli.DONE
        answers.append(capsys.readouterr().out)
    assert answers[0] == answers[1]


def test_an_export_needs_a_place(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, damaged.folder, "--export", "parquet")[0] == cli.USAGE
    assert run(capsys, damaged.folder / "nothing")[0] == cli.USAGE
