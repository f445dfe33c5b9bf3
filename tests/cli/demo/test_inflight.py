"""The scene holds only when the decision was in the log, not ended, while the statement ran."""

from pathlib import Path

import pytest

from gateway.cli.demo import commands, inflight
from gateway.cli.demo.stage import Answer, Stage

CANCELED = Answer(sqlstate="57014", error="ERROR: canceling statement")


class FakeRunning:
    """A statement that says what it is told to when it is cancelled."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.cancelled = 0

    def cancel(self) -> Answer:
        self.cancelled += 1
        return self.answer


class FakeStage(Stage, frozen=True, kw_only=True):
    """Has a line of the log for while it runs, and one for afterwards."""

    running: FakeRunning
    meanwhile: str
    after: str

    def begin(self, agent: str, statement: str) -> FakeRunning:  # type: ignore[override]  # only cancel() is used
        assert agent
        assert "transactions" in statement
        return self.running

    def command(self, *arguments: str) -> tuple[int, str]:
        assert arguments[:2] == ("audit", "search")
        return 0, self.after if self.running.cancelled else self.meanwhile


def line(did: str = "d1", outcome: str = "allow", ended: str = "") -> str:
    return f'{{"did":"{did}","outcome":"{outcome}","ended":"{ended}","leaf":3}}\n'


def played(tmp_path: Path, *, meanwhile: str = line(), after: str = line(ended="failed"), answer: Answer = CANCELED
           ) -> bool:  # fmt: skip
    running = FakeRunning(answer)
    scene = inflight.recorded_before(
        FakeStage(folder=tmp_path, port=1, agents=(), running=running, meanwhile=meanwhile, after=after)
    )
    assert running.cancelled == 1
    return scene.holds


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE_SECONDS", -1.0)


def test_a_decision_that_was_there_before_the_end_is_proof(tmp_path: Path) -> None:
    assert played(tmp_path)


def test_anything_else_is_none(tmp_path: Path) -> None:
    assert not played(tmp_path, meanwhile="")
    assert not played(tmp_path, meanwhile=line(ended="done"))
    assert not played(tmp_path, meanwhile=line(outcome="mask"))
    assert not played(tmp_path, after=line(did="d2", ended="failed"))
    assert not played(tmp_path, after=line())
    assert not played(tmp_path, answer=Answer(rows=[(1,)]))
