"""The scene of ten tries holds only when each is decided as expected, by the expected rule, found in a file."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.cli.demo import trials
from gateway.cli.demo.stage import Stage
from gateway.cli.demo.trials import DENY, TRIALS, Trial


class FakeStage(Stage, frozen=True, kw_only=True):
    """Answers each try as its trial expects, but for one."""

    wrong: int = -1
    ruling: dict[str, object] = {}
    code: int | None = None

    def commands(self, lines: Sequence[Sequence[str]]) -> list[tuple[int, str]]:
        return [self.answer(line) for line in lines]

    def answer(self, arguments: Sequence[str]) -> tuple[int, str]:
        reason = arguments[arguments.index("--reason") + 1] if "--reason" in arguments else ""
        number, trial = next(
            (number, trial)
            for number, trial in enumerate(TRIALS)
            if (f"tokens/{trial.who}" in arguments, trial.sql, trial.reason) == (True, arguments[-1], reason)
        )
        ruling = {**ruling_of(trial), **(self.ruling if number == self.wrong else {})}
        code = int(trial.outcome == DENY)
        return (self.code if self.code is not None and number == self.wrong else code), json.dumps([ruling])


def ruling_of(trial: Trial) -> dict[str, object]:
    finding = {"code": trial.code, "message": "…", "file": "a.rego", "line": 7}
    return {"outcome": trial.outcome, "findings": [finding], "refusal": finding if trial.outcome == DENY else None}


def test_it_holds_when_all_are_as_expected(tmp_path: Path) -> None:
    scene = trials.tried(FakeStage(folder=tmp_path, port=1, agents=()))
    assert scene.holds
    assert len(TRIALS) == 10
    assert scene.came.count("a.rego:7") == 10


@pytest.mark.parametrize(
    ("number", "ruling", "code"),
    [
        (0, {"outcome": "deny"}, 1),
        (0, {"findings": [{"code": "access.member", "file": "a.rego", "line": 1}]}, None),
        (1, {"outcome": "allow"}, None),
        (5, {"outcome": "allow", "refusal": None}, 0),
        (6, {"refusal": {"code": "access.blocked"}}, None),
        (6, {}, 0),
        (2, {"findings": []}, None),
        (3, {"findings": "none"}, 70),
    ],
)
def test_one_that_is_decided_otherwise_is_found_out(
    tmp_path: Path, number: int, ruling: dict[str, object], code: int | None
) -> None:
    stage = FakeStage(folder=tmp_path, port=1, agents=(), wrong=number, ruling=ruling, code=code)
    assert not trials.tried(stage).holds


def test_a_long_statement_is_cut_in_the_table() -> None:
    long = Trial("agent", "SELECT " + "x" * 100, "allow", "access.granted")
    assert trials.shortened(long).endswith("…")
    assert len(trials.shortened(long)) == trials.SHOWN
