"""A development issuer: keys of three kinds, the JWKS file the gateway reads, and tokens good and bad."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "https://idp.test"
AUDIENCE = "querywarden"
LIFETIME_SECONDS = 3600

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
Claims: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the id and algorithm its tokens name."""

    kid: str
    algorithm: str
    private: PrivateKey = field(repr=False)

    def public_jwk(self) -> dict[str, object]:
        """The public half as the JWKS shows it."""
        document = json.loads(_public_json(self.private))
        return {**document, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


def _public_json(private: PrivateKey) -> str:
    match private:
        case rsa.RSAPrivateKey():
            return RSAAlgorithm.to_jwk(private.public_key())
        case ec.EllipticCurvePrivateKey():
            return ECAlgorithm.to_jwk(private.public_key())
        case ed25519.Ed25519PrivateKey():
            return OKPAlgorithm.to_jwk(private.public_key())


def new_key(algorithm: str = "ES256") -> SigningKey:
    """A fresh key for RS256, ES256 or EdDSA."""
    private: PrivateKey
    match algorithm:
        case "RS256":
            private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        case "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        case "EdDSA":
            private = ed25519.Ed25519PrivateKey.generate()
        case _:
            raise ValueError(algorithm)
    return SigningKey(f"{algorithm.lower()}-{secrets.token_hex(4)}", algorithm, private)


@dataclass(slots=True)
class Issuer:
    """Signs tokens with its first key unless told otherwise; publishes all of its keys."""

    keys: list[SigningKey] = field(default_factory=lambda: [new_key("ES256"), new_key("RS256"), new_key("EdDSA")])
    issuer: str = ISSUER

    def write_jwks(self, path: Path) -> Path:
        """The published key set, as a file."""
        path.write_text(json.dumps({"keys": [key.public_jwk() for key in self.keys]}), encoding="utf-8")
        return path

    def claims(
        self, subject: str = "agent-7", groups: Sequence[str] = ("agents",), **more: object
    ) -> dict[str, object]:
        """The claims of a good token. A claim given as None is left out."""
        now = int(time.time())
        usual: dict[str, object] = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": subject,
            "groups": list(groups),
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME_SECONDS,
            "jti": secrets.token_hex(8),
        }
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    def token(self, subject: str = "agent-7", groups: Sequence[str] = ("agents",), **more: object) -> str:
        """A token signed by the first key."""
        return self.sign(self.claims(subject, groups, **more))

    def sign(self, claims: Claims, key: SigningKey | None = None, **header: object) -> str:
        """Any claims, signed by any key, under any header fields."""
        key = key or self.keys[0]
        return jwt.encode(dict(claims), key.private, algorithm=key.algorithm, headers={"kid": key.kid, **header})
