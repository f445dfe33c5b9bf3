"""A witness's cosignature counts when its key made it over this very checkpoint, and never otherwise."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.cosign import (
    ED25519,
    ML_DSA_44,
    WitnessKey,
    open_cosigned,
    own_note,
    read_cosignatures,
    with_lines,
    without,
)
from gateway.evidence.note import Checkpoint, NoteError, Signer, b64, open_checkpoint, split_note
from tests.evidence.witnesses import CosigningKey

LOG = Signer("log.example/1", b"l" * 32)
TEXT = Checkpoint("log.example/1", 12, b"r" * 32).text()
NOTE = LOG.sign(TEXT)
AT = 1_700_000_000
KINDS = [ED25519, ML_DSA_44]


@pytest.fixture(params=KINDS)
def witness(request: pytest.FixtureRequest) -> CosigningKey:
    return CosigningKey(kind=request.param)


def test_a_cosignature_of_either_type_is_read_with_its_time(witness: CosigningKey) -> None:
    note = with_lines(NOTE, [witness.line(TEXT, AT)])
    found = open_cosigned(note, LOG.verifier, [witness.key])
    assert [(each.witness, each.at) for each in found.by] == [(witness.key.name, AT)]
    assert (found.others, found.checkpoint.size) == (0, 12)
    assert open_checkpoint(note, LOG.verifier) == found.checkpoint


def test_a_key_is_written_and_read_again(witness: CosigningKey) -> None:
    again = WitnessKey.decode(witness.key.encode() + "\n")
    assert (again.name, again.key_id, again.public) == (witness.key.name, witness.key.key_id, witness.key.public)
    assert again.file_name == witness.key.file_name


def test_the_example_of_the_specification_is_read_and_says_nothing_without_its_key() -> None:
    encoded = "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    assert read_cosignatures(TEXT, [f"— witness.example.com/w1 {encoded}"], []) == ([], 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no spaces"),
        ("w+00000000+", "not a key"),
        (LOG.verifier.encode(), "neither 0x04"),
        (CosigningKey().key.encode().replace("w1+", "w2+"), "id it claims"),
        (f"w+00000000+{b64(bytes([ED25519]) + b'short')}", "size"),
        (f"w+00000000+{b64(bytes([ML_DSA_44]) + bytes(32))}", "size"),
        (CosigningKey().key.encode().replace("w1+", "w 1+"), "no spaces"),
    ],
)
def test_what_is_no_key_of_a_witness_is_refused(text: str, why: str) -> None:
    with pytest.raises(NoteError, match=why):
        WitnessKey.decode(text)


def test_a_cosignature_over_another_checkpoint_is_wrong(witness: CosigningKey) -> None:
    other = Checkpoint("log.example/1", 13, b"r" * 32).text()
    note = with_lines(NOTE, [witness.line(other, AT)])
    with pytest.raises(NoteError, match="cosignature of witness"):
        open_cosigned(note, LOG.verifier, [witness.key])
    assert open_cosigned(note, LOG.verifier, []).others == 1


def test_a_checkpoint_that_only_a_witness_signed_is_none(witness: CosigningKey) -> None:
    only = f"{TEXT}\n{witness.line(TEXT, AT)}\n".encode()
    with pytest.raises(NoteError, match="no known key"):
        open_cosigned(only, LOG.verifier, [witness.key])


def test_a_checkpoint_of_another_log_is_refused() -> None:
    foreign = LOG.sign(Checkpoint("log.example/2", 12, b"r" * 32).text())
    with pytest.raises(NoteError, match="another log"):
        open_cosigned(foreign, LOG.verifier, [])


def test_a_later_cosignature_takes_the_place_of_an_earlier_one(witness: CosigningKey) -> None:
    second = CosigningKey("witness.example/w2", seed=b"2" * 32)
    note = with_lines(NOTE, [witness.line(TEXT, AT), second.line(TEXT, AT)])
    note = with_lines(note, [witness.line(TEXT, AT + 9)])
    found = open_cosigned(note, LOG.verifier, [witness.key, second.key])
    assert {each.witness: each.at for each in found.by} == {witness.key.name: AT + 9, second.key.name: AT}


def test_of_two_cosignatures_of_one_key_the_later_one_counts() -> None:
    witness = CosigningKey()
    lines = [witness.line(TEXT, AT + 5), witness.line(TEXT, AT)]
    assert [each.at for each in read_cosignatures(TEXT, lines, [witness.key])[0]] == [AT + 5]


def test_the_logs_own_note_comes_back_without_the_cosignatures(witness: CosigningKey) -> None:
    line = witness.line(TEXT, AT)
    note = with_lines(NOTE, [line])
    assert own_note(note, LOG.verifier) == NOTE
    assert without(split_note(note)[1], LOG.verifier) == [line]


@given(kind=st.sampled_from(KINDS), at=st.integers(0, 79), bit=st.integers(0, 7))
def test_no_changed_signature_counts(kind: int, at: int, bit: int) -> None:
    witness = CosigningKey(kind=kind)
    _, encoded = witness.line(TEXT, AT).rsplit(" ", 1)
    signature = bytearray(base64.b64decode(encoded)[4:])
    signature[at % len(signature)] ^= 1 << bit
    assert witness.key.signed_at(TEXT, bytes(signature)) is None


@pytest.mark.parametrize("size", [0, 8, 9, 71, 73])
def test_a_signature_of_another_size_does_not_count(size: int) -> None:
    assert CosigningKey().key.signed_at(TEXT, bytes(size)) is None


def test_a_time_beyond_the_specification_does_not_count() -> None:
    witness = CosigningKey()
    signature = (1 << 63).to_bytes(8, "big") + bytes(64)
    assert witness.key.signed_at(TEXT, signature) is None
