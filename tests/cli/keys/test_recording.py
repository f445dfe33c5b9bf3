"""A recipient's key pair: two files that belong together, the private one for its owner only."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.recording.keys import fingerprint, load_private, load_recipient


def test_the_pair_belongs_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys", "recording", str(tmp_path / "reader"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    private, public = load_private(tmp_path / "reader"), load_recipient(tmp_path / "reader.pub")
    assert fingerprint(private.public_key()) == public.fingerprint == said["fingerprint"]
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("reader", "reader.pub")] == [0o600, 0o644]


@pytest.mark.parametrize("there", ["reader", "reader.pub"])
def test_nothing_is_overwritten_and_no_half_pair_left(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("mine")
    assert cli.main(["keys", "recording", str(tmp_path / "reader")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


def test_it_says_where_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys", "recording", str(tmp_path / "reader")]) == 0
    assert str(tmp_path / "reader.pub") in capsys.readouterr().out
