"""A clock that stands still, a development issuer on it, and a verifier that trusts it."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from gateway.identity.claims import ClaimNames
from gateway.identity.dev import DevIssuer
from gateway.identity.keys import KeySet, parse_key_set
from gateway.identity.verifier import TrustedIssuer, Verifier

NOW = 1_900_000_000
SECOND = 1_000_000_000
ISSUER = "https://idp.test"

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class StillClock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.now = NOW * SECOND

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)


class Ring:
    """A keyring that has what it is given, and more after another look."""

    def __init__(self, keys: KeySet, later: KeySet | None = None) -> None:
        self.keys = keys
        self.later = later
        self.looks = 0

    async def current(self) -> KeySet:
        return self.keys

    async def refreshed(self) -> KeySet:
        self.looks += 1
        self.keys = self.later or self.keys
        return self.keys


class World:
    """One issuer whose tokens are trusted."""

    def __init__(
        self, algorithm: Literal["ES256", "RS256"] = "ES256", names: ClaimNames | None = None, skew: int = 30
    ) -> None:
        self.clock = StillClock()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "key.pem"
            self.issuer = DevIssuer.create(path, self.clock, ISSUER, algorithm)
            self.pem = path.read_bytes()
        self.kid = str(json.loads(self.issuer.jwks())["keys"][0]["kid"])
        self.ring = Ring(parse_key_set(self.issuer.jwks()))
        self.verifier = Verifier([self.trusted(names or ClaimNames())], self.clock, skew)

    def trusted(self, names: ClaimNames) -> TrustedIssuer:
        return TrustedIssuer(
            issuer=ISSUER,
            audience=frozenset({"querywarden"}),
            algorithms=frozenset({"ES256", "RS256", "EdDSA"}),
            keys=self.ring,
            names=names,
        )

    def token(self, subject: str = "agent-7", /, **claims: object) -> str:
        return self.issuer.mint(subject, ["agents"], more=claims)

    def claims(self, **more: object) -> dict[str, object]:
        usual = {"iss": ISSUER, "aud": "querywarden", "sub": "agent-7", "exp": NOW + 600}
        return {**usual, **more}

    def signed(
        self, claims: Mapping[str, object] | None = None, key: PrivateKey | None = None, /, **header: object
    ) -> str:
        """Signed by the issuer's key, or by another one, under any header."""
        said = dict(self.claims() if claims is None else claims)
        algorithm = "EdDSA" if isinstance(key, ed25519.Ed25519PrivateKey) else self.issuer.algorithm
        return jwt.encode(said, key or self.pem, algorithm, headers={"kid": self.kid, **header})
