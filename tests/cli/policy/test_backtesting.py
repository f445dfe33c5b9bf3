"""A candidate over what a gateway recorded, from its log and from the Parquet it was exported to."""

import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest

from gateway.cli import DONE, SAYS_NO, USAGE, main
from gateway.cli.policy.past import LoggedPast, Period
from gateway.policy.archive import write_archive
from gateway.policy.build import read_bundle_files, with_site
from gateway.policy.bundle import SITE_DATA
from gateway.policy.site import Clear, Site
from tests.cli.audit.world import ARCHIVE, Written, written


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A log with one decision of the demo's bundle, one of a bundle nobody has, one that policy was not asked about."""
    return written(tmp_path_factory.mktemp("var"))


def candidate(folder: Path, **changes: object) -> str:
    """The demo's rules with other site data, unsigned."""
    files = read_bundle_files(ARCHIVE)
    site = msgspec.convert(msgspec.json.decode(files[SITE_DATA]), Site)
    path = folder / "candidate.tar.gz"
    path.write_bytes(write_archive(with_site(files, msgspec.structs.replace(site, **changes), "candidate")))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["policy", "backtest", "--processes", "1", *arguments])
    return code, capsys.readouterr().out


def test_the_same_bundle_changes_nothing_it_decided(past: Written, capsys: pytest.CaptureFixture[str]) -> None:
    leaves = LoggedPast(past.folder, Period()).leaves(lambda *_: None)
    behind = next(int(leaf.t) for leaf in leaves if leaf.did == past.by_policy) // 1000 + 1
    until = (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=behind)).isoformat()  # noqa: DTZ001 -- UTC, as commands take it
    code, text = run(capsys, "--candidate", str(ARCHIVE), "--data", str(past.folder), "--to", until, "--json")
    found = json.loads(text)
    assert (found["decisions"], found["same"], found["changed"], code) == (1, 1, 0, DONE)


def test_what_policy_was_not_asked_about_is_counted_apart(past: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, text = run(capsys, "--candidate", str(ARCHIVE), "--data", str(past.folder), "--json")
    found = json.loads(text)
    assert (found["decisions"], found["inputs"], found["not_asked"]) == (3, 2, 1)


def test_a_change_exits_1_and_is_told_by_outcome_rule_agent_and_table(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = run(capsys, "--candidate", candidate(tmp_path, grants=()), "--data", str(past.folder))
    assert code == SAYS_NO
    assert "-> deny" in text
    assert "access.no_grant" in text
    assert "payments/public.cards" in text
    assert "agent-7" in text


def test_allow_change_exits_0_and_says_the_same(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = candidate(tmp_path, grants=())
    _, text = run(capsys, "--candidate", other, "--data", str(past.folder))
    assert run(capsys, "--candidate", other, "--data", str(past.folder), "--allow-change") == (DONE, text)


def test_a_hostile_statement_never_reaches_a_terminal_as_it_is(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = run(capsys, "--candidate", candidate(tmp_path, grants=()), "--data", str(past.folder))
    assert "\x1b" not in text
    assert "\\x1b[2J" in text


def test_another_classification_and_paths_that_were_not_read_are_noted(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = candidate(tmp_path, classification={"payments": {"public.cards": {"expiry": ("expiry",)}}})
    _, text = run(capsys, "--candidate", other, "--data", str(past.folder))
    assert "classified columns otherwise: recorded inputs carry its labels" in text
    assert f"bundle {'b' * 12} is not at hand" in text


def test_an_exported_history_gives_the_same_answer_as_the_log(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "it's history"
    assert main(["policy", "history", "-o", str(history), "--data", str(past.folder), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["decisions"] == 3
    other = candidate(tmp_path, clear=(Clear(groups=("agents",), connections=("payments",), labels=("pan",)),))
    from_log = run(capsys, "--candidate", other, "--data", str(past.folder), "--json")
    assert run(capsys, "--candidate", other, "--history", str(history), "--json") == from_log
    assert json.loads(from_log[1])["changed"] >= 1


def test_a_document_that_is_gone_is_never_taken_for_no_difference(
    past: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = tmp_path / "history"
    main(["policy", "history", "-o", str(history), "--data", str(past.folder)])
    capsys.readouterr()
    import duckdb  # noqa: PLC0415 -- here only

    shredded = str(history / "documents/0.parquet")
    emptied = f"COPY (SELECT * FROM '{shredded}' WHERE false) TO '{shredded}' (FORMAT parquet)"  # noqa: S608 -- our own
    duckdb.connect().execute(emptied)
    code, text = run(capsys, "--candidate", str(ARCHIVE), "--history", str(history), "--allow-change")
    assert code == SAYS_NO
    assert "UNKNOWN     2" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2030-01-02", "--to", "2030-01-01", "--data", "x"], "--from lies before --to"),
        (["--from", "yesterday", "--data", "x"], "--from"),
        (["--history", "here", "--data", "there"], "not both"),
        (["--history", "nothing-here"], "nothing-here:1: no history"),
        (["--data", "no-log-here"], "no-log-here"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence_and_exits_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "backtest", "--candidate", str(ARCHIVE), *arguments]) == USAGE
    assert said in capsys.readouterr().err
