"""Public keys of an issuer, read from a JSON Web Key Set (RFC 7517, RFC 7518 §6, RFC 8037 §2).

A set that holds a secret (a symmetric key, or the private half of a pair) is refused whole: whoever can read it can
sign. Keys we have no use for (encryption, unknown types, weak ones) are left out, as RFC 7517 §5 asks.
"""

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Every signature algorithm an issuer may be allowed. All are asymmetric; `none` and HMAC cannot be configured."""

MAX_SET_BYTES: Final = 512 * 1024
MAX_KEYS: Final = 100
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 8192
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_RSA: Final = frozenset(name for name in ALGORITHMS if name.startswith(("RS", "PS")))


class BadKeySet(ValueError):
    """The key set cannot be used. The text says why, and holds no key."""


class VerificationKey(msgspec.Struct, frozen=True, kw_only=True):
    """One public key, the id tokens name it by, and the algorithms it may verify."""

    kid: str | None
    algorithms: frozenset[str]
    public: PublicKey


class KeySet(msgspec.Struct, frozen=True):
    """The keys of one issuer at one time."""

    keys: tuple[VerificationKey, ...]

    def find(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The key a token names. A token that names none is given one only when there is a single choice."""
        fitting = [key for key in self.keys if algorithm in key.algorithms and kid in (None, key.kid)]
        return fitting[0] if len(fitting) == 1 else None


def parse_key_set(data: bytes) -> KeySet:
    """Read a JWKS document. Raises `BadKeySet`."""
    if len(data) > MAX_SET_BYTES:
        raise BadKeySet(f"the key set is larger than {MAX_SET_BYTES} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise BadKeySet("the key set is not JSON") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise BadKeySet('the key set has no list "keys"')
    if len(entries) > MAX_KEYS:
        raise BadKeySet(f"the key set has more than {MAX_KEYS} keys")
    keys = tuple(key for entry in entries if (key := _read(entry)) is not None)
    if not keys:
        raise BadKeySet("the key set has no usable signature key")
    names = [(key.kid, name) for key in keys for name in key.algorithms]
    if len(names) != len(set(names)):
        raise BadKeySet("two keys of the set have the same id and type")
    return KeySet(keys)


def _read(entry: object) -> VerificationKey | None:
    """One JWK; None when it is not for verifying signatures."""
    if not isinstance(entry, dict):
        raise BadKeySet("a key of the set is not an object")
    if entry.get("kty") == "oct" or _PRIVATE_MEMBERS & entry.keys():
        raise BadKeySet("the key set holds a secret key: replace it at the issuer and publish public keys only")
    kid, use, operations = entry.get("kid"), entry.get("use"), entry.get("key_ops")
    if not isinstance(kid, str | None):
        raise BadKeySet("a key id is not text")
    if use not in (None, "sig") or (
        operations is not None and not (isinstance(operations, list) and "verify" in operations)
    ):
        return None
    algorithms = _algorithms(entry)
    public = _public(entry) if algorithms else None
    return VerificationKey(kid=kid, algorithms=algorithms, public=public) if public is not None else None


def _algorithms(entry: Mapping[str, object]) -> frozenset[str]:
    """What a key may verify by its type, cut to the algorithm it names, if it names one (RFC 7517, §4.4)."""
    match entry:
        case {"kty": "RSA"}:
            possible = _RSA
        case {"kty": "EC", "crv": str(curve)} if curve in _CURVES:
            possible = frozenset({_CURVES[curve]})
        case {"kty": "OKP", "crv": "Ed25519"}:
            possible = frozenset({"EdDSA"})
        case _:
            return frozenset()
    named = entry.get("alg")
    if named is None:
        return possible
    if not isinstance(named, str):
        return frozenset()
    return possible & {"EdDSA" if named == "Ed25519" else named}  # RFC 9864 gives EdDSA with this curve a name


def _public(entry: dict[str, object]) -> PublicKey | None:
    """The key itself; None when it is weak or cannot be read."""
    readers: dict[object, Callable[[dict[str, object]], object]] = {
        "RSA": RSAAlgorithm.from_jwk,
        "EC": ECAlgorithm.from_jwk,
        "OKP": OKPAlgorithm.from_jwk,
    }
    try:
        key = readers[entry["kty"]](entry)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError, OverflowError, UnsupportedAlgorithm):
        return None
    match key:
        case RSAPublicKey():
            return key if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS else None
        case EllipticCurvePublicKey() | Ed25519PublicKey():
            return key
        case _:
            return None
