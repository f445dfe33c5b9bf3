"""Signed documents: DSSE v1 envelopes (Dead Simple Signing Envelope), signed with the Ed25519 keys that sign notes.

What is signed is not the payload but its pre-authentication encoding, `DSSEv1 <len> <type> <len> <payload>`: a
signature says what kind of document it is over, and can be mistaken for no other. The same keys sign checkpoints, whose
text begins with an origin and a newline; an origin has no space and `DSSEv1 ` has one, so neither can be read as the
other. `keyid` is `<name>+<key id>` as in the public key's text. Envelopes are RFC 8785 JSON and read strictly: of two
spellings of one envelope, one is refused, so that no byte of a signed file can be changed unnoticed.
"""

from typing import Final, NamedTuple

import msgspec

from gateway.evidence.note import NoteError, Signer, Verifier, b64, unb64

MAX_ENVELOPE: Final = 64 << 20
MAX_SIGNATURES: Final = 16
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class DsseError(ValueError):
    """The bytes are no envelope, or of another type, or no known key signed it. The text says which."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature of an envelope."""

    keyid: str
    sig: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    payloadType: str  # noqa: N815 -- the specification's name
    signatures: list[Signature]


_DECODER: Final = msgspec.json.Decoder(_Envelope)


class Opened(NamedTuple):
    """A payload whose signature was verified."""

    payload: bytes
    signed_by: tuple[str, ...]
    """key ids of the known keys that signed it"""
    others: int
    """signatures by keys we do not know; they say nothing"""


def pae(payload_type: str, payload: bytes) -> bytes:
    """The pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def key_id(verifier: Verifier) -> str:
    """How an envelope names a key: `<name>+<8 hexadecimal digits>`."""
    return f"{verifier.name}+{verifier.key_id.hex()}"


def seal(payload: bytes, payload_type: str, *signers: Signer) -> bytes:
    """The envelope over a payload, canonical JSON. The same payload and keys give the same bytes."""
    if not signers:
        raise DsseError("an envelope needs a signature")
    encoded = pae(payload_type, payload)
    signatures = [Signature(key_id(signer.verifier), b64(signer.signature(encoded))) for signer in signers]
    return _ENCODER.encode(_Envelope(b64(payload), payload_type, signatures))


def unseal(data: bytes, payload_type: str, verifiers: list[Verifier]) -> Opened:
    """Verify an envelope. Raises DsseError when no known key signed it, or when a known key's signature is wrong."""
    envelope = _read(data)
    if envelope.payloadType != payload_type:
        raise DsseError("the envelope holds another type of document")
    payload = _unb64(envelope.payload)
    encoded = pae(payload_type, payload)
    known = {key_id(verifier): verifier for verifier in verifiers}
    good: list[str] = []
    others = 0
    for signature in envelope.signatures:
        verifier = known.get(signature.keyid)
        if verifier is None:
            others += 1
        elif not verifier.accepts(encoded, _unb64(signature.sig)):
            raise DsseError(f"the signature of {signature.keyid} is wrong")
        elif signature.keyid not in good:
            good.append(signature.keyid)
    if not good:
        raise DsseError("no known key has signed this envelope")
    return Opened(payload, tuple(good), others)


def unsealed(data: bytes) -> bytes:
    """The payload of an envelope without verifying it: for finding out whose key would be needed. Raises DsseError."""
    return _unb64(_read(data).payload)


def _read(data: bytes) -> _Envelope:
    if len(data) > MAX_ENVELOPE:
        raise DsseError("the envelope is too large")
    try:
        envelope = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DsseError("not an envelope") from error
    if not 1 <= len(envelope.signatures) <= MAX_SIGNATURES or _ENCODER.encode(envelope) != data:
        raise DsseError("not an envelope in its canonical form")
    return envelope


def _unb64(text: str) -> bytes:
    """Strict: one spelling for each value."""
    try:
        return unb64(text)
    except NoteError:
        raise DsseError("not base64") from None
