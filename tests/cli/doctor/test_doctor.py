"""`doctor` probes the live parts: 0 when all is fine, 1 when something is not, 2 configuration, 3 not reachable."""

import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.doctor import exit_code
from gateway.cli.doctor.result import Result, Status
from tests.cli.doctor.world import ask, place
from tests.support.postgres import Cluster


def test_when_all_is_fine_it_exits_0_and_every_probe_has_spoken(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ask(place(tmp_path, cluster, tidy), capsys)
    assert said.amiss() == []
    assert said.code == 0
    probes = {each["probe"] for each in said.results}
    assert probes >= {"database", "role", "clock", "governed", "keys", "bundle", "certificate", "disk", "witness"}
    assert said.about("witness")[0][1].startswith("none configured")


def test_it_says_so_in_words_and_sums_up(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "-c", str(place(tmp_path, cluster, tidy))]) == 0
    said = capsys.readouterr().out
    assert "fine         database     payments: PostgreSQL" in said
    assert " fine" in said.splitlines()[-1]


def test_what_is_not_as_it_should_be_is_told_all_at_once_and_exits_1(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place(tmp_path, cluster, tidy, user="postgres")
    (tmp_path / "bundle.tar.gz").write_bytes(b"nothing")
    said = ask(config, capsys)
    assert said.code == 1
    assert {probe for probe, _ in said.amiss()} == {"role", "bundle"}


def test_a_configuration_that_cannot_be_used_exits_2_with_its_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("version: 2\nsurprise: 1\n")
    assert cli.main(["doctor", "-c", str(path)]) == cli.USAGE
    said = capsys.readouterr().err
    assert f"{path}:1:" in said
    assert f"{path}:2:" in said
    assert cli.main(["doctor", "-c", str(path), "--json"]) == cli.USAGE
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["results"]) == (False, [])
    assert "\n".join(document["findings"]) in said


def test_a_database_that_is_away_exits_3(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place(tmp_path, cluster, tidy)
    config.write_text(config.read_text().replace(f"port: {cluster.port}", "port: 1"))
    said = ask(config, capsys)
    assert said.code == 3
    assert [probe for probe, _ in said.amiss()] == ["database"]


def test_warnings_of_the_configuration_are_among_the_notes(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ask(place(tmp_path, cluster, tidy, approvals={"hold": "10s"}), capsys)
    ((status, text),) = said.about("configuration")
    assert status == "note"
    assert "approvals" in text
    assert said.code == 0


def test_nothing_it_prints_holds_a_password(
    tmp_path: Path,
    cluster: Cluster,
    tidy: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PASSWORD_AGENT_RO", "a-password-nobody-may-see")
    code = cli.main(["doctor", "-c", str(place(tmp_path, cluster, tidy))])
    said = capsys.readouterr()
    assert code == 1
    assert "SQLSTATE 28P01" in said.out
    assert "a-password-nobody-may-see" not in said.out + said.err


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([Status.FINE, Status.NOTE], 0),
        ([Status.FINE, Status.NO], 1),
        ([Status.NO, Status.UNREACHABLE], 1),
        ([Status.UNREACHABLE, Status.NOTE], 3),
        ([], 0),
    ],
)
def test_what_is_wrong_outweighs_what_is_away(statuses: list[Status], code: int) -> None:
    assert exit_code([Result(probe="x", about="", status=each, text="") for each in statuses]) == code
