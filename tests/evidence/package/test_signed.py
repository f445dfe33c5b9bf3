"""Signatures of a package: the log's key, the envelope, cosignatures of both kinds of witnesses."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from gateway.evidence.cosign import ED25519, ML_DSA_44, WitnessKey, with_lines
from gateway.evidence.dsse import seal
from gateway.evidence.note import Checkpoint, Signer, b64
from gateway.evidence.package.verifier.findings import Broken
from gateway.evidence.package.verifier.signed import PAYLOAD_TYPE, Key, checkpoint_of, cosigners_of, unsealed

LOG = Signer("log.test/1", b"\1" * 32)
TREE = Checkpoint("log.test/1", 7, bytes(32))
NOTE = LOG.sign(TREE.text())
TIME = 1_800_000_000


def cosigned(kind: int) -> tuple[bytes, Key]:
    """The note with a witness's line, and the witness's key."""
    time = TIME.to_bytes(8, "big")
    if kind == ED25519:
        private = Ed25519PrivateKey.from_private_bytes(b"\2" * 32)
        witness = WitnessKey("witness.test", kind, private.public_key().public_bytes_raw())
        made = private.sign(f"cosignature/v1\ntime {TIME}\n{TREE.text()}".encode())
    else:
        other = MLDSA44PrivateKey.generate()
        witness = WitnessKey("witness.test", kind, other.public_key().public_bytes_raw())
        names = b"\x0cwitness.test" + time + b"\x0alog.test/1"
        made = other.sign(b"subtree/v1\n\0" + names + bytes(8) + (7).to_bytes(8, "big") + TREE.root)
    line = f"— witness.test {b64(witness.key_id + time + made)}"
    return with_lines(NOTE, [line]), Key(witness.encode())


def test_a_checkpoint_is_believed_by_its_key_alone() -> None:
    assert checkpoint_of(NOTE, Key(LOG.verifier.encode()), "x") == (TREE.origin, 7, TREE.root)
    with pytest.raises(Broken, match="has not signed it"):
        checkpoint_of(NOTE, Key(Signer("log.test/1", b"\3" * 32).verifier.encode()), "x")


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", NOTE[:-1], NOTE.replace(b"\n\n", b"\n"), NOTE + b"x", NOTE.replace(b"7", b"8")]
)
def test_what_is_no_checkpoint_is_refused(raw: bytes) -> None:
    with pytest.raises(Broken, match=r"checkpoint\.signature"):
        checkpoint_of(raw, Key(LOG.verifier.encode()), "x")


def test_a_good_signature_over_something_else_is_no_checkpoint() -> None:
    for text in ("log.test/1\n07\nAA==\n", "log.test/1\n", "other\n7\n" + b64(bytes(32)) + "\n"):
        with pytest.raises(Broken, match=r"checkpoint\.signature"):
            checkpoint_of(LOG.sign(text), Key(LOG.verifier.encode()), "x")


@pytest.mark.parametrize("kind", [ED25519, ML_DSA_44])
def test_a_witness_is_named_when_its_cosignature_is_good(kind: int) -> None:
    note, key = cosigned(kind)
    assert cosigners_of(note, [key], "x") == ["witness.test"]
    assert cosigners_of(NOTE, [key], "x") == []
    assert checkpoint_of(note, Key(LOG.verifier.encode()), "x").size == 7
    moved = note.replace(b64(bytes(32)).encode(), b64(b"\1" + bytes(31)).encode())
    with pytest.raises(Broken, match=r"cosignature\.invalid"):
        cosigners_of(moved, [key], "x")


@pytest.mark.parametrize("text", ["", "a", "a+b", "a+00000000+AA==", "log.test/1+00000000+" + b64(b"\1" * 33)])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Broken, match=r"key\.unreadable"):
        Key(text)


def test_a_key_of_a_kind_that_nobody_knows_is_refused() -> None:
    import hashlib  # noqa: PLC0415 -- only here

    raw = b"\x09" + bytes(32)
    name = hashlib.sha256(b"x\n" + raw).hexdigest()[:8]
    with pytest.raises(Broken, match="type 9"):
        Key(f"x+{name}+{b64(raw)}")


def test_an_envelope_is_over_these_bytes_by_this_key() -> None:
    key = Key(LOG.verifier.encode())
    unsealed(seal(b"{}", PAYLOAD_TYPE, LOG), b"{}", key, "x")
    for raw, payload in (
        (seal(b"{}", PAYLOAD_TYPE, LOG), b"[]"),
        (seal(b"{}", "text/plain", LOG), b"{}"),
        (b"{}", b"{}"),
    ):
        with pytest.raises(Broken, match=r"signature\.invalid"):
            unsealed(raw, payload, key, "x")
    with pytest.raises(Broken, match=r"signature\.other_key"):
        unsealed(seal(b"{}", PAYLOAD_TYPE, Signer("other", b"\4" * 32)), b"{}", key, "x")
