"""Signatures: the manifest's DSSE envelope, checkpoints (C2SP signed notes), witnesses' cosignatures."""

from __future__ import annotations

import hashlib
from typing import NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.evidence.package.verifier.findings import Broken, listed, mapping, need, parsed, text, unbase64

PAYLOAD_TYPE = "application/vnd.querywarden.evidence+json"
HASH = 32
_SIGNS, _COSIGNS, _COSIGNS_ML_DSA = 1, 4, 6
"""types of keys: Ed25519 that signs notes, Ed25519 and ML-DSA-44 of witnesses"""
_BAD = "checkpoint.signature"


class Key:
    """A public key as notes name it: `name+id+base64`. Raises Broken for anything else."""

    def __init__(self, said: str) -> None:
        self.name, _, rest = said.strip().partition("+")
        self.id, _, encoded = rest.partition("+")
        raw = unbase64(encoded, "the key", "key.unreadable")
        made = hashlib.sha256(self.name.encode() + b"\n" + raw).hexdigest()[:8]
        need(raw and made == self.id and self.name, "key.unreadable", "the key", "not a public key of a note")
        self.kind = raw[0]
        try:
            self._key = _loaded(self.kind, raw[1:])
        except (ValueError, ImportError):
            raise Broken("key.unreadable", "the key", f"a key of type {self.kind} cannot be used here") from None

    @property
    def label(self) -> str:
        """How an envelope names it."""
        return f"{self.name}+{self.id}"

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed the message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    def cosigned(self, blob: bytes, said: bytes) -> bool:
        """Whether this witness cosigned a checkpoint (C2SP tlog-cosignature). `blob` is time and signature."""
        time, signature = int.from_bytes(blob[:8], "big"), blob[8:]
        if self.kind == _COSIGNS:
            return self.signed(signature, b"cosignature/v1\ntime %d\n%s" % (time, said))
        origin, size, root = said.decode().split("\n")[:3]
        names = [bytes([len(name)]) + name for name in (self.name.encode(), origin.encode())]
        tree = bytes(8) + int(size).to_bytes(8, "big") + unbase64(root, "the checkpoint", _BAD)
        return self.signed(signature, b"subtree/v1\n\0" + names[0] + blob[:8] + names[1] + tree)


class _Verifies(Protocol):
    def verify(self, signature: bytes, data: bytes) -> None: ...


def _loaded(kind: int, raw: bytes) -> _Verifies:
    """Raises ValueError for a key that is none, ImportError where `cryptography` is too old for it."""
    if kind in {_SIGNS, _COSIGNS}:
        return Ed25519PublicKey.from_public_bytes(raw)
    if kind != _COSIGNS_ML_DSA:
        raise ValueError(kind)
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415 -- since version 48

    return MLDSA44PublicKey.from_public_bytes(raw)


def unsealed(raw: bytes, payload: bytes, key: Key, where: str) -> None:
    """The envelope is over these bytes, and this key signed it. Raises Broken."""
    envelope = parsed(raw, where, "signature.invalid")
    good = "signature.invalid"
    need(text(envelope.get("payloadType")) == PAYLOAD_TYPE, good, where, "it is over another type of document")
    said = unbase64(text(envelope.get("payload")), where, good)
    need(said == payload, good, where, "it is over another manifest")
    message = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
    signatures = [mapping(each) for each in listed(envelope.get("signatures"))]
    ours = [text(each.get("sig")) for each in signatures if each.get("keyid") == key.label]
    need(ours, "signature.other_key", where, f"{key.label} has not signed it")
    need(all(key.signed(unbase64(sig, where, good), message) for sig in ours), good, where, "the signature is wrong")


class Checkpoint(NamedTuple):
    """A tree head whose signature is good."""

    origin: str
    size: int
    root: bytes


def checkpoint_of(raw: bytes, key: Key, where: str) -> Checkpoint:
    """Verify a checkpoint (C2SP tlog-checkpoint). Raises Broken."""
    said, signatures = _note(raw, where)
    ours = [blob for name, blob in signatures if name == key.name and blob[:4].hex() == key.id]
    need(ours and all(key.signed(blob[4:], said) for blob in ours), _BAD, where, f"{key.label} has not signed it")
    lines = said.decode().split("\n")
    need(len(lines) > len(("origin", "size", "root")), _BAD, where, "not a checkpoint")
    origin, size, root = lines[0], lines[1], unbase64(lines[2], where, _BAD)
    whole = size.isascii() and size.isdigit() and str(int(size)) == size and len(root) == HASH
    need(whole and origin == key.name, _BAD, where, "not a checkpoint of this log")
    return Checkpoint(origin, int(size), root)


def _note(raw: bytes, where: str) -> tuple[bytes, list[tuple[str, bytes]]]:
    """What is signed, and (name, key id ‖ signature) of every signature."""
    try:
        said, blank, rest = raw.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise Broken(_BAD, where, "not a note") from None
    lines = [line.split(" ") for line in rest.split("\n")[:-1]]
    whole = blank and rest.endswith("\n") and all(len(line) == 3 and line[0] == "—" for line in lines)  # noqa: PLR2004
    need(whole, _BAD, where, "not a note")
    return (said + "\n").encode(), [(name, unbase64(blob, where, _BAD)) for _, name, blob in lines]


def cosigners_of(raw: bytes, keys: list[Key], where: str) -> list[str]:
    """Witnesses of these keys whose cosignature is on a checkpoint. Raises Broken when one is wrong."""
    said, signatures = _note(raw, where)
    good = []
    for name, blob in signatures:
        for key in keys:
            if key.kind != _SIGNS and (name, blob[:4].hex()) == (key.name, key.id):
                need(key.cosigned(blob[4:], said), "cosignature.invalid", where, f"{name} has not cosigned it")
                good.append(name)
    return good
