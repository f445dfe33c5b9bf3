"""How far sinks are is read from their cursors, and what was refused is listed and makes the check say no."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit.sinks import in_words, standings
from gateway.evidence.sinks.cursor import Cabinet, Cursor, Parked
from gateway.evidence.view import open_views
from tests.evidence.world import whole_log

REFUSED = Parked(id="log.test#7", type="statement.decided", t="1900000000000000000", reason="http.400", at="1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    whole_log(tmp_path, sessions=1)
    Cabinet(tmp_path, "siem").save(Cursor(epoch=1, index=4))
    return tmp_path


def test_a_sink_is_as_far_as_its_cursor_says(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = next(iter(open_views(folder))).signed
    (found,) = standings(folder)
    assert (found.name, found.epoch, found.next_leaf, found.behind) == ("siem", 1, 4, size - 4)
    assert cli.main(["audit", "sinks", "--data", str(folder)]) == 0
    assert capsys.readouterr().out == f"siem  epoch 1, next leaf 4, {size - 4} behind, 0 refused\n"


def test_refused_events_are_listed_and_the_check_says_no(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Cabinet(folder, "siem").park([REFUSED])
    assert cli.main(["audit", "sinks", "--data", str(folder), "--parked"]) == 1
    assert "log.test#7  statement.decided  2030-03-17 17:46:40.000000Z  http.400" in capsys.readouterr().out
    assert cli.main(["audit", "sinks", "--data", str(folder), "--json"]) == 1
    (said,) = json.loads(capsys.readouterr().out)
    assert said["parked"][0]["id"] == "log.test#7"


def test_what_a_file_says_cannot_move_the_cursor_of_a_terminal(folder: Path) -> None:
    Cabinet(folder, "siem").park([Parked(id="x\x1b[2J", type="", t="", reason="y", at="1")])
    text = in_words(standings(folder), parked=True)
    assert "\x1b" not in text
    assert "unreadable" in text


def test_a_sink_without_a_cursor_has_sent_nothing(folder: Path) -> None:
    Cabinet(folder, "other").park([REFUSED])
    found = {each.name: each for each in standings(folder)}
    assert found["other"].behind == next(iter(open_views(folder))).signed
    assert in_words([], parked=False) == "no sink has begun\n"
