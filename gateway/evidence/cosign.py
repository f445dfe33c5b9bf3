"""Cosignatures of independent witnesses, C2SP tlog-cosignature: further signature lines of a checkpoint's note.

A witness has seen that each tree of a log goes on from the one before, and says so with the time. Its key is written as
the log's is, `<name>+<key id>+<base64(type ‖ key)>`, with a type of its own: 0x04 for Ed25519, which signs
`cosignature/v1`, a line `time <seconds>` and the checkpoint's text; 0x06 for ML-DSA-44, which signs a binary structure
that names witness, time, log, size and root. A signature is the time (uint64, big-endian) and what the key made.
"""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from gateway.evidence.note import (
    MAX_SIGNATURES,
    Checkpoint,
    NoteError,
    b64,
    open_note,
    split_key,
    split_note,
    split_signature,
)
from gateway.evidence.note import Verifier as LogVerifier

ED25519, ML_DSA_44 = 0x04, 0x06
_LABEL: Final = b"subtree/v1\n\0"
_TIME: Final = struct.Struct(">Q")
_MAX_TIME: Final = (1 << 63) - 1
_ID_SIZE: Final = 4


class WitnessKey:
    """A witness's public key and the name it cosigns under."""

    def __init__(self, name: str, kind: int, public: bytes) -> None:
        """Raises NoteError for what is no key of a witness."""
        if not name or any(c.isspace() or c == "+" for c in name):
            raise NoteError("a key's name has no spaces and no plus signs")
        self.name = name
        self.public = public
        self._kind = kind
        self._key = _load(kind, public)
        self.key_id = hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_ID_SIZE]

    @classmethod
    def decode(cls, text: str) -> "WitnessKey":
        """Read `<name>+<id>+<key>`. Raises NoteError."""
        name, key_id, key = split_key(text.strip())
        witness = cls(name, key[0] if key else 0, key[1:])
        if witness.key_id.hex() != key_id:
            raise NoteError("the key does not have the id it claims")
        return witness

    def encode(self) -> str:
        """`<name>+<id>+<key>`."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self._kind]) + self.public)}"

    @property
    def file_name(self) -> str:
        """A name for files that are about this key."""
        return hashlib.sha256(self.encode().encode()).hexdigest()[:16]

    def signed_at(self, text: str, signature: bytes) -> int | None:
        """When this key cosigned the checkpoint of that text, in seconds since 1970; None when it did not."""
        if len(signature) <= _TIME.size:
            return None
        time, made = _TIME.unpack_from(signature)[0], signature[_TIME.size :]
        if time > _MAX_TIME:
            return None
        try:
            match self._key:
                case Ed25519PublicKey():
                    self._key.verify(made, f"cosignature/v1\ntime {time}\n{text}".encode())
                case MLDSA44PublicKey():
                    self._key.verify(made, _message(self.name, time, Checkpoint.parse(text)))
        except (InvalidSignature, ValueError):
            return None
        return int(time)


def _load(kind: int, public: bytes) -> Ed25519PublicKey | MLDSA44PublicKey:
    try:
        if kind == ED25519:
            return Ed25519PublicKey.from_public_bytes(public)
        if kind == ML_DSA_44:
            return MLDSA44PublicKey.from_public_bytes(public)
    except ValueError as error:
        raise NoteError("not a key of a witness: its size is wrong") from error
    raise NoteError(f"not a key of a witness: type {kind:#04x} is neither 0x04 (Ed25519) nor 0x06 (ML-DSA-44)")


def _message(name: str, time: int, checkpoint: Checkpoint) -> bytes:
    """`cosigned_message`. Raises ValueError when a name is too long for it."""
    size = (0).to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big")
    head = _LABEL + _short(name) + _TIME.pack(time) + _short(checkpoint.origin)
    return head + size + checkpoint.root


def _short(text: str) -> bytes:
    data = text.encode()
    return bytes([len(data)]) + data


class Cosignature(NamedTuple):
    """That a witness saw a tree."""

    witness: str
    """the name of its key"""
    at: int
    """when, in seconds since 1970"""
    line: str
    """the signature line, without its end"""


class Cosigned(NamedTuple):
    """A checkpoint that the log has signed, and who cosigned it."""

    checkpoint: Checkpoint
    note: bytes
    by: tuple[Cosignature, ...]
    others: int
    """cosignatures of keys we do not know: they say nothing"""


def read_cosignatures(text: str, lines: Iterable[str], keys: Sequence[WitnessKey]) -> tuple[list[Cosignature], int]:
    """The good cosignatures of known keys, the latest of each, and how many lines are of other keys.

    Raises NoteError for what is no signature line, and for a line of a known key that is wrong.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found: dict[tuple[str, bytes], Cosignature] = {}
    others = 0
    for line in lines:
        name, key_id, signature = split_signature(line)
        key = known.get((name, key_id))
        if key is None:
            others += 1
            continue
        at = key.signed_at(text, signature)
        if at is None:
            raise NoteError(f"the cosignature of {name} is wrong")
        before = found.get((name, key_id))
        if before is None or before.at < at:
            found[name, key_id] = Cosignature(name, at, line)
    return list(found.values()), others


def open_cosigned(note: bytes, log: LogVerifier, keys: Sequence[WitnessKey]) -> Cosigned:
    """Verify a checkpoint and its cosignatures. Raises NoteError; also when the log's own signature is not good."""
    checkpoint = Checkpoint.parse(open_note(note, [log]).text)
    if checkpoint.origin != log.name:
        raise NoteError("the checkpoint is of another log")
    text, lines = split_note(note)
    by, others = read_cosignatures(text, without(lines, log), keys)
    return Cosigned(checkpoint, note, tuple(by), others)


def own_note(note: bytes, log: LogVerifier) -> bytes:
    """The note with the log's own signature only. Raises NoteError."""
    text, lines = split_note(note)
    others = set(without(lines, log))
    return join(text, [line for line in lines if line not in others][:1])


def without(lines: Iterable[str], log: LogVerifier) -> list[str]:
    """The lines that are not of the log's key. Raises NoteError."""
    return [line for line in lines if split_signature(line)[:2] != (log.name, log.key_id)]


def with_lines(note: bytes, more: Iterable[str]) -> bytes:
    """The note with further signature lines; a line takes the place of an older one of its key. Raises NoteError."""
    text, lines = split_note(note)
    placed = {split_signature(line)[:2]: line for line in [*lines, *more]}
    return join(text, list(placed.values())[:MAX_SIGNATURES])


def join(text: str, lines: Sequence[str]) -> bytes:
    """A note."""
    return "\n".join([text, *lines, ""]).encode()
