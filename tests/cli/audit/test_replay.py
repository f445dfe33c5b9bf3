"""`audit replay` and `audit shred` as a person types them: what they print, what they record, when they say no."""

import json
import shutil
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit import replay as module
from gateway.evidence.recording.places import key_path, recording_path
from tests.cli.audit.replaying.world import Recorded, write
from tests.evidence.world import whole_log
from tests.support.recorded import leaves, make_keys


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return write(tmp_path_factory.mktemp("replayed"))


@pytest.fixture
def recorded(made: Recorded, tmp_path: Path) -> Recorded:
    shutil.copytree(made.folder, tmp_path / "var")
    return Recorded(tmp_path / "var", made.sid, made.keys, made.dids)


def accessed(recorded: Recorded) -> list[dict[str, object]]:
    return [leaf for leaf in leaves(recorded.folder, "evidence.accessed") if leaf["act"] == "replay"]


def test_a_session_is_shown_and_that_it_was_is_recorded(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(recorded.replay()) == 0
    shown, said = capsys.readouterr()
    assert shown.startswith(f"session {recorded.sid} on payments")
    assert all(did in shown for did in recorded.dids)
    assert "#4 deny: command.blocked" in shown
    assert said == ""
    (leaf,) = accessed(recorded)
    assert isinstance(leaf["data"], dict)
    assert leaf["data"]["arguments"] == {"session": recorded.sid}


def test_it_can_begin_at_a_statement(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    for start in ("3", recorded.dids[2]):
        assert cli.main(recorded.replay("--from", start)) == 0
        shown = capsys.readouterr().out
        assert [did in shown for did in recorded.dids] == [False, False, True, True]
    assert cli.main(recorded.replay("--from", "nothing")) == 2


def test_a_decision_is_as_good_as_its_session(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--data", str(recorded.folder), "--key", str(recorded.keys.private)]
    assert cli.main(["audit", "replay", recorded.dids[1], *where]) == 0
    assert recorded.dids[0] not in capsys.readouterr().out
    for more in (["--from", "1"], []):
        assert cli.main(["audit", "replay", recorded.dids[1], *(where if more else where[:2]), *more]) == 0
        shown = capsys.readouterr().out
        assert all(did in shown for did in recorded.dids)


@pytest.mark.parametrize("way", [["--json"], ["--export", "jsonl"]])
def test_as_documents(recorded: Recorded, capsys: pytest.CaptureFixture[str], way: list[str]) -> None:
    assert cli.main(recorded.replay(*way)) == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [d["text"] for d in documents if d.get("type") == "Query"][1:] == ["COPY t FROM STDIN", "DROP TABLE t"]


def test_as_bytes(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(recorded.replay("--raw")) == 0
    assert "> Q 18 bytes\n    000000  51 00 00 00 11 44 52 4f" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "begins"), [("pcapng", b"\x0a\x0d\x0d\x0a"), ("asciicast", b'{"version":2')])
def test_as_a_file_for_its_owner_only(recorded: Recorded, tmp_path: Path, name: str, begins: bytes) -> None:
    assert cli.main(recorded.replay("--export", name, "-o", str(tmp_path / "file"))) == 0
    assert (tmp_path / "file").read_bytes().startswith(begins)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_it_takes_its_time_when_told_to(
    recorded: Recorded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    assert cli.main(recorded.replay("--speed", "0.000001")) == 0
    assert max(slept) <= module.IDLE_MAX
    assert sum(slept) > 0
    slept.clear()
    assert cli.main(recorded.replay()) == 0
    assert slept == []
    assert capsys.readouterr().err == ""


def test_without_the_key_the_log_tells(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(recorded.arguments("replay")) == 0
    shown = capsys.readouterr().out
    assert all(did in shown for did in recorded.dids)
    assert "it was recorded: --key shows what passed" in shown
    assert cli.main(recorded.arguments("replay", "--export", "jsonl")) == 2
    assert "the recording is encrypted" in capsys.readouterr().err
    assert cli.main(recorded.arguments("replay", "--json")) == 0
    assert [json.loads(line)["did"] for line in capsys.readouterr().out.splitlines()] == list(recorded.dids)


def test_a_session_that_was_not_recorded_is_told_by_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole_log(tmp_path)
    sid = str(leaves(tmp_path, "session.opened")[0]["sid"])
    for known, code in ((sid, 0), (sid[:-1] + ("0" if sid[-1] != "0" else "1"), 1), ("no id", 1)):
        assert cli.main(["audit", "replay", known, "--data", str(tmp_path)]) == code
    assert "it was not recorded" in capsys.readouterr().out


def test_the_wrong_key_is_refused_and_nothing_shown(
    recorded: Recorded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_keys(tmp_path, "other")
    assert cli.main(recorded.arguments("replay", "--key", str(other.private))) == 1
    assert "recording.wrong_key" in capsys.readouterr().err
    assert cli.main(recorded.arguments("replay", "--key", str(other.public))) == 2
    assert capsys.readouterr().out == ""
    assert accessed(recorded) == []


def test_a_recording_that_was_changed_is_shown_up_to_there_and_the_answer_is_no(
    recorded: Recorded, capsys: pytest.CaptureFixture[str]
) -> None:
    path = recording_path(recorded.folder, recorded.sid)
    path.write_bytes(path.read_bytes()[:-1])
    assert cli.main(recorded.replay()) == 1
    shown, said = capsys.readouterr()
    assert "#4 deny" in shown
    assert "GRAVE  recording.cut" in said
    assert "it ends here, recording.torn" in said


def test_a_shredded_recording_says_so_and_the_log_holds(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(recorded.arguments("shred", "--reason", "erasure")) == 1
    assert "--legal-reason" in capsys.readouterr().err
    path = recording_path(recorded.folder, recorded.sid)
    assert key_path(path).exists()
    assert cli.main(recorded.arguments("shred", "--reason", "erasure", "--legal-reason", "GDPR 17")) == 0
    assert not key_path(path).exists()
    (leaf,) = leaves(recorded.folder, "recording.shredded")
    assert isinstance(leaf["data"], dict)
    assert (leaf["data"]["session"], leaf["data"]["reason"], leaf["data"]["legal"]) == (
        recorded.sid, "erasure", "GDPR 17",
    )  # fmt: skip
    capsys.readouterr()
    assert cli.main(recorded.replay()) == 1
    assert "recording.shredded: its key was destroyed: erasure" in capsys.readouterr().err
    assert cli.main(["audit", "verify", "--data", str(recorded.folder)]) == 0
    assert "recording.shredded" in capsys.readouterr().out
    assert cli.main(recorded.arguments("shred", "--reason", "again")) == 0


@pytest.mark.parametrize("legal", [[], ["--legal-reason", "  "]])
def test_within_its_time_a_recording_is_kept(recorded: Recorded, legal: list[str]) -> None:
    assert cli.main(recorded.arguments("shred", "--reason", "x", *legal)) == 1
    assert leaves(recorded.folder, "recording.shredded") == []


def test_what_cannot_be_shredded_says_why(recorded: Recorded, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(recorded.arguments("shred", "--reason", " ")) == 2
    for session in ("none", recorded.sid[:-1] + ("0" if recorded.sid[-1] != "0" else "1")):
        assert cli.main(["audit", "shred", session, "--data", str(recorded.folder), "--reason", "x"]) == 1
    assert "there is no recording of this session" in capsys.readouterr().err
