"""Keys that sign and verify bundles: RSA with RS256, P-256 with ES256. A key has one algorithm, never a choice.

OPA's server accepts RSA and ECDSA only, so Ed25519 is not offered. RS256 gives the same bytes at each signing, ES256
does not. A key's id is a line `keyid: NAME` in front of its PEM block (RFC 7468, §2 lets text stand there; OPA and
OpenSSL skip it), else the hex SHA-256 of its SubjectPublicKeyInfo.
"""

import hashlib
import re
from pathlib import Path
from typing import TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.core.errors import ConfigError

RS256, ES256 = "RS256", "ES256"
_SMALLEST_RSA = 2048
_HALF = 32  # bytes of each number of a P-256 signature
_MAX_PEM = 64 << 10
_NAME = re.compile(r"[A-Za-z0-9_.:@/-]{1,128}")
_KEYID = re.compile(rb"(?m)^keyid: (%b)\r?$" % _NAME.pattern.encode())
_REVOKED = re.compile(rb"(?m)^revoked: ")
_PEM = b"-----BEGIN "

PublicKey: TypeAlias = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key whose signatures are believed."""

    keyid: str
    named: bool
    """whether the id was given, rather than made from the key"""
    algorithm: str
    fingerprint: str
    """hex SHA-256 of the SubjectPublicKeyInfo"""
    key: PublicKey
    revoked: bool = False
    """its file says so: a line `revoked: DATE` in front of the PEM block, whatever the date"""

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the key signed the message. ES256 signatures are r ‖ s (RFC 7518, §3.4)."""
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            elif len(signature) == 2 * _HALF:
                r, s = (int.from_bytes(half) for half in (signature[:_HALF], signature[_HALF:]))
                self.key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
            else:
                return False
        except InvalidSignature:
            return False
        return True


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """A private key."""

    public: VerificationKey
    key: PrivateKey

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(message, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_HALF) + s.to_bytes(_HALF)

    def __repr__(self) -> str:
        """Nothing of the key itself."""
        return f"SigningKey({self.public.keyid})"


def load_key(path: Path) -> VerificationKey:
    """The public key of a PEM file. Raises ConfigError (bundle.key)."""
    return verification_key(_read(path), str(path))


def load_signing_key(path: Path, keyid: str = "") -> SigningKey:
    """The private key of a PEM file, not encrypted. Raises ConfigError (bundle.key)."""
    return signing_key(_read(path), str(path), keyid)


def verification_key(pem: bytes, place: str = "key") -> VerificationKey:
    """The key of a PEM text. Raises ConfigError (bundle.key)."""
    try:
        key = load_pem_public_key(_block(pem))
    except (ValueError, TypeError):
        raise ConfigError("bundle.key", f"{place}: this is not a public key in PEM") from None
    found = _verification(key, _keyid(pem), place)
    return msgspec.structs.replace(found, revoked=_REVOKED.search(pem.partition(_PEM)[0]) is not None)


def signing_key(pem: bytes, place: str = "key", keyid: str = "") -> SigningKey:
    """The private key of a PEM text; `keyid` overrides the one it names. Raises ConfigError (bundle.key)."""
    try:
        key = load_pem_private_key(_block(pem), password=None)
    except (ValueError, TypeError):
        raise ConfigError("bundle.key", f"{place}: this is not an unencrypted private key in PEM") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError("bundle.key", f"{place}: a bundle is signed with RSA or with EC on P-256")
    if keyid and _NAME.fullmatch(keyid) is None:
        raise ConfigError("bundle.key", f"a key's name is made of letters, digits and _.:@/-, not {keyid!r}")
    return SigningKey(public=_verification(key.public_key(), keyid or _keyid(pem), place), key=key)


def public_pem(key: VerificationKey) -> bytes:
    """The PEM text of a public key, its id in front when it has a name."""
    head = f"keyid: {key.keyid}\n".encode() if key.named else b""
    return head + key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _verification(key: object, keyid: str, place: str) -> VerificationKey:
    match key:
        case rsa.RSAPublicKey() if key.key_size >= _SMALLEST_RSA:
            algorithm = RS256
        case ec.EllipticCurvePublicKey(curve=ec.SECP256R1()):
            algorithm = ES256
        case _:
            raise ConfigError("bundle.key", f"{place}: a key is RSA of {_SMALLEST_RSA} bits or more, or EC on P-256")
    fingerprint = hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    return VerificationKey(
        keyid=keyid or fingerprint, named=bool(keyid), algorithm=algorithm, fingerprint=fingerprint, key=key
    )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            pem = file.read(_MAX_PEM + 1)
    except OSError as error:
        raise ConfigError("bundle.key", f"{path}: {error.strerror}") from None
    if len(pem) > _MAX_PEM:
        raise ConfigError("bundle.key", f"{path}: this is too long for a key")
    return pem


def _block(pem: bytes) -> bytes:
    """Without the text in front, which not every reader skips."""
    return pem[max(pem.find(_PEM), 0) :]


def _keyid(pem: bytes) -> str:
    head, _, _ = pem.partition(_PEM)
    match = _KEYID.search(head)
    return match[1].decode("ascii") if match else ""
