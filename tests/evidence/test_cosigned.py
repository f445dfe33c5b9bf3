"""What witnesses cosigned is kept for each of them, found again, and never believed without its signatures."""

from pathlib import Path

import pytest

from gateway.evidence.cosign import with_lines
from gateway.evidence.cosigned import best_cosigned, cosigned_file, cosigned_notes, keep_cosigned, last_cosigned
from gateway.evidence.note import Checkpoint, Signer
from tests.evidence.witnesses import CosigningKey

LOG = Signer("log.example/1", b"l" * 32)
ONE, TWO = CosigningKey("w.example/1", seed=b"1" * 32), CosigningKey("w.example/2", seed=b"2" * 32)
AT = 1_900_000_000


def note(size: int, *signers: CosigningKey) -> bytes:
    text = Checkpoint(LOG.verifier.name, size, bytes([size]) * 32).text()
    return with_lines(LOG.sign(text), [signer.line(text, AT) for signer in signers])


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    (tmp_path / "checkpoint").write_bytes(note(9))
    return tmp_path


def test_the_last_one_of_each_witness_is_found(prefix: Path) -> None:
    keep_cosigned(prefix, ONE.key, note(5, ONE))
    keep_cosigned(prefix, TWO.key, note(7, TWO))
    keep_cosigned(prefix, ONE.key, note(6, ONE))
    found = [last_cosigned(prefix, LOG.verifier, each.key) for each in (ONE, TWO)]
    assert [each.checkpoint.size if each else 0 for each in found] == [6, 7]


@pytest.mark.parametrize("there", [None, b"", b"\xff", note(5), note(5, TWO), note(5, ONE).replace(b"\n5\n", b"\n6\n")])
def test_what_a_witness_did_not_cosign_is_nothing(prefix: Path, there: bytes | None) -> None:
    if there is not None:
        keep_cosigned(prefix, ONE.key, there)
    assert last_cosigned(prefix, LOG.verifier, ONE.key) is None


def test_notes_over_one_checkpoint_are_put_together(prefix: Path) -> None:
    keep_cosigned(prefix, ONE.key, note(5, ONE))
    keep_cosigned(prefix, TWO.key, note(5, TWO))
    found = best_cosigned(prefix, LOG.verifier, 5, [ONE.key, TWO.key])
    assert found is not None
    assert found.count("— ".encode()) == 3


def test_the_checkpoint_with_the_most_cosignatures_is_the_best_and_of_equals_the_smaller_one(prefix: Path) -> None:
    (prefix / "checkpoint").write_bytes(note(9, ONE))
    keep_cosigned(prefix, ONE.key, note(9, ONE))
    keep_cosigned(prefix, TWO.key, note(6, TWO))
    assert best_cosigned(prefix, LOG.verifier, 0, [ONE.key, TWO.key]) == note(6, TWO)
    assert best_cosigned(prefix, LOG.verifier, 7, [ONE.key, TWO.key]) == note(9, ONE)
    assert best_cosigned(prefix, LOG.verifier, 10) is None
    assert best_cosigned(prefix, LOG.verifier, 0, [ONE.key]) == note(9, ONE)


def test_a_checkpoint_that_nobody_cosigned_is_none(prefix: Path) -> None:
    assert best_cosigned(prefix, LOG.verifier, 0) is None
    assert best_cosigned(prefix, LOG.verifier, 0, [ONE.key]) is None


def test_what_cannot_be_read_is_shown_as_such_and_passed_over(prefix: Path) -> None:
    keep_cosigned(prefix, ONE.key, b"garbage")
    (prefix / "cosigned/.half-written").write_bytes(b"garbage")
    assert (cosigned_file(prefix, ONE.key).name, b"") in list(cosigned_notes(prefix))
    assert len(list(cosigned_notes(prefix))) == 2
    assert best_cosigned(prefix, LOG.verifier, 0) is None
