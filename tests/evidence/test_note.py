"""Signed notes and checkpoints: the format of Go's sumdb/note, and every way to be refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.note import Checkpoint, NoteError, Signer, Verifier, open_checkpoint, open_note

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAYING = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
""".encode()
"""the example of Go's package documentation"""

SIGNER = Signer("log.test", bytes(range(32)))
CHECKPOINT = Checkpoint("log.test", 7, bytes(32))


def test_a_note_signed_by_another_program_is_accepted() -> None:
    note = open_note(SAYING, [Verifier.decode(PETER)])
    assert (note.signed_by, note.others) == (("PeterNeumann",), 0)
    assert note.text.endswith("your problem is.\n")


def test_keys_come_back_from_their_text() -> None:
    assert Verifier.decode(PETER).encode() == PETER
    assert Signer.decode(SIGNER.encode()).verifier.encode() == SIGNER.verifier.encode()


def test_the_repr_of_a_signer_shows_nothing_secret() -> None:
    assert base64.b64encode(b"\x01" + bytes(range(32))).decode() not in repr(SIGNER)
    assert repr(SIGNER) == f"Signer({SIGNER.verifier.encode()})"


@given(size=st.integers(0, 1 << 62), root=st.binary(min_size=32, max_size=32))
def test_a_checkpoint_comes_back_from_its_note(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("log.test", size, root)
    assert open_checkpoint(SIGNER.sign(checkpoint.text()), SIGNER.verifier) == checkpoint


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_a_checkpoint_can_be_changed(at: int, bit: int) -> None:
    note = bytearray(SIGNER.sign(CHECKPOINT.text()))
    note[at % len(note)] ^= 1 << bit
    with pytest.raises(NoteError):
        open_checkpoint(bytes(note), SIGNER.verifier)


@given(end=st.integers(0, 10_000))
def test_a_cut_checkpoint_is_refused(end: int) -> None:
    note = SIGNER.sign(CHECKPOINT.text())
    with pytest.raises(NoteError):
        open_checkpoint(note[: end % len(note)], SIGNER.verifier)


def test_signatures_of_others_are_counted_and_say_nothing() -> None:
    other = Signer("witness.test", bytes(32))
    text = CHECKPOINT.text()
    signature = other.sign(text).removeprefix(text.encode() + b"\n")
    assert open_note(SIGNER.sign(text) + signature, [SIGNER.verifier]).others == 1
    with pytest.raises(NoteError, match="no known key"):
        open_note(other.sign(text), [SIGNER.verifier])


def test_a_wrong_signature_of_a_known_key_is_worse_than_none() -> None:
    other = Signer("witness.test", bytes(32))
    text = CHECKPOINT.text()
    wrong = other.sign("another text\n").removeprefix(b"another text\n\n")
    with pytest.raises(NoteError, match=r"witness\.test is wrong"):
        open_note(SIGNER.sign(text) + wrong, [SIGNER.verifier, other.verifier])


def test_a_key_of_the_same_name_is_another_key() -> None:
    twin = Signer("log.test", bytes(32))
    with pytest.raises(NoteError, match="no known key"):
        open_checkpoint(twin.sign(CHECKPOINT.text()), SIGNER.verifier)


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(NoteError, match="of another log"):
        open_checkpoint(SIGNER.sign(Checkpoint("other", 7, bytes(32)).text()), SIGNER.verifier)


@pytest.mark.parametrize(
    "text",
    ["log.test\n", "log.test\n7\n", "log.test\n07\nAAAA\n", f"log.test\n-1\n{'A' * 43}=\n", "log.test\n7\nAAAA\n",
     f"log.test\n\n7\n{'A' * 43}=\n", f"log.test\n٧\n{'A' * 43}=\n", f"log.test\n7\n{'A' * 42}B=\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused_though_it_is_signed(text: str) -> None:
    with pytest.raises(NoteError):
        open_checkpoint(SIGNER.sign(text), SIGNER.verifier)


@pytest.mark.parametrize(
    "text", ["", "a+b+c", PETER.replace("c74f20a3", "00000000"), PETER[:-4], PETER.replace("+AR", "+BR"), "x" + PETER]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.decode(text)
    with pytest.raises(NoteError):
        Signer.decode(f"PRIVATE+KEY+{text}")


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\n"])
def test_a_name_that_would_break_the_format_is_refused(name: str) -> None:
    with pytest.raises(NoteError):
        Verifier(name, bytes(32))


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", ""])
def test_a_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(NoteError):
        SIGNER.sign(text)


@pytest.mark.parametrize(
    "data",
    [b"", b"text\n", b"text\n\n", b"text\n\nno dash\n", b"\xff\n\n" + SAYING[-90:], SAYING + b"\x00",
     SAYING + SAYING[-100:].splitlines(keepends=True)[-1] * 101, b"x" * (1 << 20) + SAYING],
)  # fmt: skip
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        open_note(data, [Verifier.decode(PETER)])


def test_a_bare_signature_is_over_the_bytes_alone() -> None:
    assert SIGNER.verifier.accepts(b"DSSEv1 ", SIGNER.signature(b"DSSEv1 "))
    assert not SIGNER.verifier.accepts(b"DSSEv2 ", SIGNER.signature(b"DSSEv1 "))
