"""Who can read recordings: X25519 keys of recipients, and the data key of each session wrapped to all of them by HPKE.

HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; `info` is the text below and the
session id, so a wrapped key is of use for its session only. Whoever writes has no private key and cannot read back.
"""

import base64
import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.core.errors import ConfigError
from gateway.evidence.recording.format import KEY_SIZE, VERSION, RecordingError

SUITE: Final = "DHKEM(X25519,HKDF-SHA256),HKDF-SHA256,AES-256-GCM"
KEY_FILE_MAX: Final = 64 * 1024
_INFO: Final = b"querywarden/recording/v1 "
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_MAX_PEM: Final = 16 * 1024


class Recipient(NamedTuple):
    """A public key recordings are encrypted to."""

    fingerprint: str
    """hex SHA-256 of its SubjectPublicKeyInfo"""
    key: X25519PublicKey


class Wrapped(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data key for one recipient."""

    key: str
    """the recipient's fingerprint"""
    wrapped: str
    """base64 of enc ‖ ciphertext"""


class KeyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file beside a recording. Without it nobody can read the recording any more."""

    v: int
    sid: str
    suite: str
    recipients: tuple[Wrapped, ...]


def make_private() -> bytes:
    """A new private key, PEM."""
    return X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_of(private: bytes) -> bytes:
    """The public key of a private one, both PEM. Raises ConfigError."""
    key = private_key(private)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def load_recipient(path: Path) -> Recipient:
    """The public key in a PEM file. Raises ConfigError and OSError."""
    pem = _read(path)
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, X25519PublicKey):
        if b"PRIVATE KEY" in pem:
            raise ConfigError("recording.key", f"{path}: this is a private key: it must not be here; give the .pub")
        raise ConfigError("recording.key", f"{path}: not an X25519 public key in PEM (`querywarden keys recording`)")
    return Recipient(fingerprint(key), key)


def load_private(path: Path) -> X25519PrivateKey:
    """The private key in a PEM file. Raises ConfigError and OSError."""
    return private_key(_read(path), str(path))


def private_key(pem: bytes, place: str = "key") -> X25519PrivateKey:
    """Raises ConfigError."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, X25519PrivateKey):
        raise ConfigError("recording.key", f"{place}: not an unencrypted X25519 private key in PEM")
    return key


def fingerprint(key: X25519PublicKey) -> str:
    """Hex SHA-256 of the SubjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def wrap(data_key: bytes, sid: str, recipients: tuple[Recipient, ...]) -> bytes:
    """The key file for a session."""
    wrapped = [
        Wrapped(key=each.fingerprint, wrapped=_base64(_SUITE.encrypt(data_key, each.key, _info(sid))))
        for each in recipients
    ]
    return msgspec.json.encode(KeyFile(v=VERSION, sid=sid, suite=SUITE, recipients=tuple(wrapped)))


def unwrap(key_file: bytes, sid: str, private: X25519PrivateKey) -> bytes:
    """The data key. Raises RecordingError."""
    try:
        found = msgspec.json.decode(key_file, type=KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RecordingError("recording.key_changed", "its key file cannot be read") from None
    if (found.v, found.sid, found.suite) != (VERSION, sid, SUITE):
        raise RecordingError("recording.key_changed", "its key file is of another session or version")
    mine = fingerprint(private.public_key())
    for each in found.recipients:
        if each.key == mine:
            return _opened(each, sid, private)
    raise RecordingError("recording.wrong_key", "it is not encrypted to this key")


def _opened(wrapped: Wrapped, sid: str, private: X25519PrivateKey) -> bytes:
    try:
        key = _SUITE.decrypt(base64.b64decode(wrapped.wrapped, validate=True), private, _info(sid))
    except (InvalidTag, ValueError):
        raise RecordingError("recording.key_changed", "its wrapped key was changed") from None
    if len(key) != KEY_SIZE:
        raise RecordingError("recording.key_changed", "its wrapped key has another length")
    return key


def _info(sid: str) -> bytes:
    return _INFO + sid.encode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAX_PEM)
