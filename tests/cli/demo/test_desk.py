"""The auditor's scenes hold only when the commands say what they must, about this decision."""

from pathlib import Path

import pytest

from gateway.cli.demo import commands, desk
from gateway.cli.demo.stage import Answer, Stage

DID = "01a21076-2e67-79c8-a8c3-6dd71572f38a"
REFUSAL = Answer(sqlstate="42501", error=f"ERROR: no\nDETAIL: access.blocked, a.rego:1; decision {DID}\nHINT: -")
SEARCH = f"when decision …\n2026 {DID} support-agent payments drop deny access.blocked DROP TABLE cards\n1 decision\n"
EXPLAIN = f"decision  {DID}\nreasons  blocked.rego:48\nproof  holds: leaf 4 … has signed\nrecomputed  EQUAL: …\n"
VERIFY = "log x\n\nverified: 9 leaves\n"


class FakeStage(Stage, frozen=True, kw_only=True):
    """A command that ends with this code and says this."""

    code: int = 0
    says: str

    def command(self, *arguments: str) -> tuple[int, str]:
        assert arguments[0] == "audit"
        return self.code, self.says


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PATIENCE_SECONDS", -1.0)


def at(folder: Path, says: str, code: int = 0) -> FakeStage:
    return FakeStage(folder=folder, port=1, agents=(), says=says, code=code)


def test_the_id_is_taken_from_the_agents_error() -> None:
    assert desk.decision_of(REFUSAL) == DID
    assert desk.decision_of(Answer(error="ERROR: no")) == ""


def test_the_denied_statement_is_found_when_its_own_line_says_everything(tmp_path: Path) -> None:
    assert desk.found_in_the_log(at(tmp_path, SEARCH), REFUSAL).holds
    assert not desk.found_in_the_log(at(tmp_path, SEARCH, 1), REFUSAL).holds
    assert not desk.found_in_the_log(at(tmp_path, "0 decisions\n"), REFUSAL).holds
    assert not desk.found_in_the_log(at(tmp_path, SEARCH.replace(DID, DID[::-1])), REFUSAL).holds
    assert not desk.found_in_the_log(at(tmp_path, SEARCH.replace("deny", "allow")), REFUSAL).holds
    assert not desk.found_in_the_log(at(tmp_path, SEARCH), Answer(rows=[(1,)])).holds


def test_it_is_explained_when_the_proof_holds_and_the_decision_comes_out_equal(tmp_path: Path) -> None:
    assert desk.explained(at(tmp_path, EXPLAIN), DID).holds
    assert not desk.explained(at(tmp_path, EXPLAIN, 1), DID).holds
    assert not desk.explained(at(tmp_path, EXPLAIN.replace("EQUAL", "DIFFERENT")), DID).holds
    assert not desk.explained(at(tmp_path, EXPLAIN.replace("holds", "FAILS")), DID).holds
    assert not desk.explained(at(tmp_path, EXPLAIN), DID[::-1]).holds


def test_the_session_is_replayed_when_it_shows_the_statement_and_its_refusal(tmp_path: Path) -> None:
    shown = f"#1 drop  {DID}\n    DROP TABLE cards\n  ERROR 42501: no\n  #1 deny: access.blocked\n  the agent left\n"
    assert desk.replayed(at(tmp_path, shown), DID).holds
    assert not desk.replayed(at(tmp_path, shown, 1), DID).holds
    for part in (DID, "DROP TABLE cards", "ERROR 42501", "deny: access.blocked"):
        assert not desk.replayed(at(tmp_path, shown.replace(part, "")), DID).holds


def test_the_log_is_verified_when_the_command_says_so(tmp_path: Path) -> None:
    assert desk.verified(at(tmp_path, VERIFY)).holds
    assert not desk.verified(at(tmp_path, VERIFY, 1)).holds
    assert not desk.verified(at(tmp_path, "log x\n\nNOT verified: 1 grave finding\n")).holds
