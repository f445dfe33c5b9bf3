"""Signatures: the manifest's DSSE envelope, checkpoints (C2SP signed notes), witnesses' cosignatures."""

from __future__ import annotations

import base64
import hashlib
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.evidence.package.verifier.findings import Broken, listed, mapping, need, parsed, text, unbase64

PAYLOAD_TYPE = "application/vnd.querywarden.evidence+json"
HASH = 32
_SIGNS, _COSIGNS = 1, 4
_BAD = "checkpoint.signature"


class Key:
    """A public key as notes name it: `name+id+base64`. Raises Broken for anything else."""

    def __init__(self, said: str) -> None:
        self.name, _, rest = said.strip().partition("+")
        self.id, _, encoded = rest.partition("+")
        raw = unbase64(encoded, "the key", "key.unreadable")
        made = hashlib.sha256(self.name.encode() + b"\n" + raw).hexdigest()[:8]
        fits = len(raw) == 1 + HASH and raw[0] in {_SIGNS, _COSIGNS} and made == self.id and self.name
        need(fits, "key.unreadable", "the key", "not a public key of a note")
        self.cosigns = raw[0] == _COSIGNS
        self._key = Ed25519PublicKey.from_public_bytes(raw[1:])

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
    """Witnesses whose cosignature/v1 (C2SP tlog-cosignature) is on a checkpoint. Raises Broken when one is wrong."""
    said, signatures = _note(raw, where)
    good = []
    for name, blob in signatures:
        for key in keys:
            if key.cosigns and (name, blob[:4].hex()) == (key.name, key.id):
                message = b"cosignature/v1\ntime %d\n%s" % (int.from_bytes(blob[4:12], "big"), said)
                need(key.signed(blob[12:], message), "cosignature.invalid", where, f"{name} has not cosigned it")
                good.append(name)
    return good


def b64(raw: bytes) -> str:
    """As notes and proofs write bytes."""
    return base64.b64encode(raw).decode()
