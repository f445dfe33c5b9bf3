"""`audit sample`: the population is fixed, the draw is told, and the list can be had."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.audit.exporting.world import Days


def sample(days: Days, *more: str) -> int:
    return cli.main(
        ["audit", "sample", "--from", "2020-01-01", "--data", str(days.folder), "--per-stratum", "1", *more]
    )


def test_each_stratum_is_told_with_its_draw(own_days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample(own_days, "--population", str(tmp_path / "p.csv")) == cli.DONE
    out = capsys.readouterr().out
    assert "mask on payments, labels cvv pan: 1 of 8" in out
    assert f"sha256:{hashlib.sha256((tmp_path / 'p.csv').read_bytes()).hexdigest()}" in out
    assert "(checkpoint)" in out


def test_a_seed_can_be_given_and_json_be_had(own_days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert sample(own_days, "--seed", "theirs", "--json") == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["seed"], told["seed_from"]["kind"]) == ("theirs", "assessor")
    assert sum(stratum["size"] for stratum in told["strata"]) == own_days.decisions


def test_both_kinds_of_seed_are_one_too_many(own_days: Days) -> None:
    assert sample(own_days, "--seed", "x", "--sample-seed-checkpoint") == cli.USAGE
