"""A candidate asked in other processes says what it says here."""

from pathlib import Path

import msgspec
import pytest

from gateway.cli.policy import evaluating
from gateway.cli.policy.evaluating import Candidate, answer_of, ask_all
from gateway.policy.build import read_bundle_files
from gateway.policy.engine import EngineError
from tests.cli.audit.world import ARCHIVE, document_of


def test_processes_answer_in_order_what_one_engine_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "CHUNK", 3)
    document = document_of(ARCHIVE.read_bytes())
    here = Candidate(read_bundle_files(ARCHIVE)).ask(document)
    found = list(ask_all(ARCHIVE, ((str(number), document) for number in range(20)), processes=2))
    assert found == [(str(number), here) for number in range(20)]
    assert here.outcome == "mask"


class Slow(Candidate):
    def raw(self, document: bytes) -> bytes:
        raise EngineError("policy.timeout", document.decode())


def test_what_gives_no_answer_denies_with_the_reason() -> None:
    answer = Slow(read_bundle_files(ARCHIVE)).ask(b"{}")
    assert (answer.outcome, answer.codes) == ("deny", ("policy.timeout",))


def test_what_is_no_document_is_denied() -> None:
    assert Candidate(read_bundle_files(ARCHIVE)).ask(b"{").outcome == "deny"


def test_an_answer_is_known_by_its_bytes_outcome_and_codes() -> None:
    answer = answer_of(b'{"outcome":"deny","reasons":[{"args":{},"code":"b"},{"args":{},"code":"a"}]}')
    assert (answer.outcome, answer.codes) == ("deny", ("a", "b"))


def test_an_answer_that_is_none_is_not_taken_for_one() -> None:
    with pytest.raises(msgspec.ValidationError):
        answer_of(b"{}")


class Uncovered(Candidate):
    def raw(self, document: bytes) -> bytes:
        assert document
        return b'{"obligations":{},"outcome":"allow","reasons":[]}'


def test_an_answer_that_the_gateway_would_not_accept_denies_here_too() -> None:
    answer = Uncovered(read_bundle_files(ARCHIVE)).ask(document_of(ARCHIVE.read_bytes()))
    assert (answer.outcome, answer.codes) == ("deny", ("policy.label_uncovered",))


def test_several_bundles_are_asked_each_its_own_and_old_engines_are_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "ENGINES", 1)
    document = document_of(ARCHIVE.read_bytes())
    other = tmp_path / "other.tar.gz"
    other.write_bytes(ARCHIVE.read_bytes())
    found = [evaluating._ask(bundle, [("q", document)]) for bundle in (ARCHIVE, other, ARCHIVE)]  # noqa: SLF001 -- of one process
    assert [bundle for ((bundle, _, _),) in found] == [ARCHIVE, other, ARCHIVE]
    assert list(evaluating._OWN) == [ARCHIVE]  # noqa: SLF001 -- the same
    assert len({answer for ((_, _, answer),) in found}) == 1
    evaluating._OWN.clear()  # noqa: SLF001 -- the same
