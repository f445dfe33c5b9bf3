"""Signed envelopes: what others would sign, what comes back, and every way to be refused."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.dsse import DsseError, key_id, pae, seal, unseal, unsealed
from gateway.evidence.note import Checkpoint, Signer, open_checkpoint

SIGNER = Signer("log.test", bytes(range(32)))
OTHER = Signer("someone.test", bytes(range(1, 33)))
TYPE = "application/vnd.test+json"
PAYLOAD = b'{"found":0}'


def test_what_is_signed_is_the_encoding_that_the_specification_shows() -> None:
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()  # lengths are of bytes


def test_anybody_with_the_key_and_the_specification_verifies_an_envelope() -> None:
    envelope = json.loads(seal(PAYLOAD, TYPE, SIGNER))
    assert set(envelope) == {"payload", "payloadType", "signatures"}
    payload = base64.b64decode(envelope["payload"])
    signed = f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload
    key = Ed25519PublicKey.from_public_bytes(SIGNER.verifier.public)
    key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    assert envelope["signatures"][0]["keyid"] == key_id(SIGNER.verifier)


@given(st.binary(max_size=200), st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_payload_comes_back_and_the_same_gives_the_same_bytes(payload: bytes, kind: str) -> None:
    envelope = seal(payload, kind, SIGNER)
    assert unseal(envelope, kind, [SIGNER.verifier]).payload == payload == unsealed(envelope)
    assert seal(payload, kind, SIGNER) == envelope


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_of_an_envelope_can_be_changed(at: int, bit: int) -> None:
    envelope = bytearray(seal(PAYLOAD, TYPE, SIGNER))
    envelope[at % len(envelope)] ^= 1 << bit
    with pytest.raises(DsseError):
        unseal(bytes(envelope), TYPE, [SIGNER.verifier])


@given(end=st.integers(0, 10_000))
def test_a_cut_envelope_is_refused(end: int) -> None:
    envelope = seal(PAYLOAD, TYPE, SIGNER)
    with pytest.raises(DsseError):
        unseal(envelope[: end % len(envelope)], TYPE, [SIGNER.verifier])


def test_a_second_signature_is_verified_when_its_key_is_known_and_counted_when_not() -> None:
    envelope = seal(PAYLOAD, TYPE, SIGNER, OTHER)
    assert unseal(envelope, TYPE, [SIGNER.verifier])[1:] == ((key_id(SIGNER.verifier),), 1)
    both = unseal(envelope, TYPE, [SIGNER.verifier, OTHER.verifier])
    assert both.signed_by == (key_id(SIGNER.verifier), key_id(OTHER.verifier))


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (seal(PAYLOAD, TYPE, SIGNER), "application/json", "another type"),
        (seal(PAYLOAD, TYPE, OTHER), TYPE, "no known key"),
        (seal(PAYLOAD, TYPE, SIGNER).replace(b",", b", ", 1), TYPE, "canonical"),
        (b"[]", TYPE, "not an envelope"),
        (b"\xff", TYPE, "not an envelope"),
        (b'{"payload":"","payloadType":"a","signatures":[]}', "a", "canonical"),
        (b'{"payload":"=","payloadType":"a","signatures":[{"keyid":"k","sig":""}]}', "a", "not base64"),
        (b'{"payload":"YR==","payloadType":"a","signatures":[{"keyid":"k","sig":""}]}', "a", "not base64"),
        (seal(PAYLOAD, TYPE, SIGNER)[:-1] + b',"x":1}', TYPE, "not an envelope"),
        (b" " * ((64 << 20) + 1), TYPE, "too large"),
    ],
    ids=["type", "key", "spaces", "list", "not text", "unsigned", "base64", "loose base64", "more fields", "large"],
)
def test_what_is_not_the_envelope_that_was_asked_for_is_refused(data: bytes, kind: str, says: str) -> None:
    with pytest.raises(DsseError, match=says):
        unseal(data, kind, [SIGNER.verifier])


def test_a_known_key_with_a_wrong_signature_is_refused_though_another_is_right() -> None:
    envelope = json.loads(seal(PAYLOAD, TYPE, SIGNER, OTHER))
    envelope["signatures"][1]["sig"] = envelope["signatures"][0]["sig"]
    data = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    with pytest.raises(DsseError, match=r"someone\.test.* is wrong"):
        unseal(data, TYPE, [SIGNER.verifier, OTHER.verifier])


def test_nothing_is_sealed_without_a_key() -> None:
    with pytest.raises(DsseError, match="needs a signature"):
        seal(PAYLOAD, TYPE)


def test_a_checkpoint_and_an_envelope_cannot_be_taken_for_each_other() -> None:
    checkpoint = Checkpoint("log.test", 7, bytes(32))
    assert open_checkpoint(SIGNER.sign(checkpoint.text()), SIGNER.verifier) == checkpoint
    assert b" " not in checkpoint.text().encode().partition(b"\n")[0]
    assert b" " in pae(TYPE, PAYLOAD).partition(b"\n")[0]
