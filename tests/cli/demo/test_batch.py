"""Several commands in one process say and return what each would alone."""

from pathlib import Path

from gateway.cli.demo import batch
from gateway.cli.demo.stage import Stage

COMMANDS = [["--version"], ["no-such-command"], ["check", "-c", "missing.yaml"]]


def test_each_has_its_own_output_and_exit_code() -> None:
    (version, wrong, missing) = batch.run(COMMANDS)
    assert version == (0, "0.1.0\n")
    assert wrong[0] == missing[0] == 2
    assert "no-such-command" in wrong[1]
    assert "missing.yaml" in missing[1]


def test_the_stage_runs_them_in_the_demos_folder(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path, port=1, agents=())
    assert stage.commands(COMMANDS) == batch.run(COMMANDS)


def test_a_process_that_says_nothing_readable_is_an_answer_for_each(tmp_path: Path) -> None:
    (tmp_path / "gateway.py").write_text("raise SystemExit('broken')", encoding="utf-8")
    stage = Stage(folder=tmp_path, port=1, agents=())
    answers = stage.commands(COMMANDS)
    assert len(answers) == len(COMMANDS)
    assert all(code != 0 for code, _ in answers)
