"""A development issuer: a key, its published set, and tokens. For demo and tests; `serve` never imports it.

Whoever holds the key file is whoever they say they are. Real agents get tokens from a real identity provider.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from gateway.core.clock import Clock
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.core.principal import Json

PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

ISSUER = "https://idp.localhost"
AUDIENCE = "querywarden"
LIFETIME_SECONDS = 3600
_THUMBPRINT_MEMBERS = ("crv", "e", "kty", "n", "x", "y")


class DevIssuer:
    """Signs whatever it is asked to."""

    def __init__(self, key: PrivateKey, clock: Clock, issuer: str = ISSUER) -> None:
        self._key = key
        self._clock = clock
        self.issuer = issuer
        self.algorithm: Literal["ES256", "RS256"] = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        self._public = self._public_jwk()

    @classmethod
    def create(
        cls, path: Path, clock: Clock, issuer: str = ISSUER, algorithm: Literal["ES256", "RS256"] = "ES256"
    ) -> "DevIssuer":
        """A fresh key, written to `path` with mode 0600. Raises FileExistsError rather than replace one."""
        key: PrivateKey = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(key, clock, issuer)

    @classmethod
    def load(cls, path: Path, clock: Clock, issuer: str = ISSUER) -> "DevIssuer":
        """The issuer of a key file that `create` wrote. Raises OSError or ConfigError."""
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError):
            raise ConfigError("config.invalid", f"{path}: not a private key in PEM form") from None
        if isinstance(key, rsa.RSAPrivateKey) or (
            isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)
        ):
            return cls(key, clock, issuer)
        raise ConfigError("config.invalid", f"{path}: the key is neither RSA nor P-256")

    def jwks(self) -> bytes:
        """The published key set, as JSON."""
        return json.dumps({"keys": [self._public]}, indent=2).encode("utf-8") + b"\n"

    def mint(  # noqa: PLR0913 -- what a token can say
        self,
        subject: str,
        groups: Sequence[str] = (),
        *,
        audience: str = AUDIENCE,
        ttl_seconds: int = LIFETIME_SECONDS,
        on_behalf_of: str | None = None,
        more: Mapping[str, Json] | None = None,
    ) -> str:
        """A signed token. `more` adds claims or replaces usual ones; a value of None leaves the claim out."""
        now = self._clock.now_ns() // 1_000_000_000
        claims: dict[str, Json] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": subject,
            "groups": list(groups),
            "iat": now,
            "nbf": now,
            "exp": now + ttl_seconds,
            "jti": new_id(self._clock),
            **({"act": {"sub": on_behalf_of}} if on_behalf_of is not None else {}),
            **(more or {}),
        }
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(said, self._key, algorithm=self.algorithm, headers={"kid": str(self._public["kid"])})

    def _public_jwk(self) -> dict[str, Json]:
        public = (
            jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
            if isinstance(self._key, rsa.RSAPrivateKey)
            else jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        )
        members: dict[str, Json] = {name: value for name, value in public.items() if name in _THUMBPRINT_MEMBERS}
        kid = sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode("utf-8")).hexdigest()[:16]
        return {**members, "kid": kid, "alg": self.algorithm, "use": "sig"}  # kid as RFC 7638 §3 makes it, cut
