"""A token in, a verified principal out: RFC 7519 as RFC 8725 (best current practices) wants it read.

Nothing a token says is believed before its signature is right, but for `iss` and `kid`, which only choose the key to
try. Every way to fail has its own code, for the record; what the caller is told is one text for all.
No token, nor a part of one, is in any error: pyjwt's are dropped where they are caught.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import jwt
import msgspec

from gateway.core.clock import Clock
from gateway.core.disguised import find_any
from gateway.core.errors import Unauthenticated
from gateway.core.principal import Json, Principal
from gateway.identity import claims
from gateway.identity.claims import ClaimNames
from gateway.identity.keys import KeySet, VerificationKey

MAX_TOKEN: Final = 64 * 1024
"""characters; checked before anything is decoded"""

MAX_TIME: Final = 253_402_300_799
"""9999-12-31T23:59:59Z: no token lasts longer"""

TOKEN_TYPES: Final = frozenset({"jwt", "at+jwt"})
"""`typ` values taken, without `application/`: a token made for another use is no access token (RFC 8725 §3.11)"""

_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*", re.ASCII)
_ENCRYPTED_PARTS: Final = 5
_SIGNATURES: Final = jwt.PyJWS()


class Keyring(Protocol):
    """Where the keys of one issuer come from."""

    async def current(self) -> KeySet:
        """The keys as known now. Raises `Unauthenticated("token.keys_unavailable")`."""
        ...

    async def refreshed(self) -> KeySet:
        """The keys after another look, if the last one was not just now: a token named a key we do not know."""
        ...


class TrustedIssuer(msgspec.Struct, frozen=True, kw_only=True):
    """An issuer whose tokens are taken, for whom they must be, and how they may be signed."""

    issuer: str
    audience: frozenset[str]
    algorithms: frozenset[str]
    keys: Keyring
    names: ClaimNames = ClaimNames()


class Verifier:
    """Verifies tokens of the trusted issuers. `skew_seconds` is how far clocks may differ."""

    def __init__(self, issuers: Sequence[TrustedIssuer], clock: Clock, skew_seconds: int = 30) -> None:
        self._issuers = {trusted.issuer: trusted for trusted in issuers}
        self._clock = clock
        self._skew = skew_seconds

    async def verify(self, token: str) -> Principal:
        """The principal a token stands for. Raises `Unauthenticated`, each kind of bad token with its own code."""
        header, unverified = _take_apart(token)
        algorithm, kid = _read_header(header)
        issuer = unverified.get("iss")
        trusted = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if trusted is None:
            raise Unauthenticated("token.unknown_issuer")
        if algorithm not in trusted.algorithms:
            raise Unauthenticated("token.algorithm")
        _check_signature(token, algorithm, await _key(trusted.keys, kid, algorithm))
        return self._principal(trusted, unverified)  # the very bytes whose signature was right

    def _principal(self, trusted: TrustedIssuer, said: Mapping[str, Json]) -> Principal:
        if not trusted.audience & claims.audiences(said):
            raise Unauthenticated("token.audience")
        expires_at = self._check_times(said)
        principal = Principal(
            subject=claims.subject(said, trusted.names),
            issuer=trusted.issuer,
            groups=claims.groups(said, trusted.names.groups),
            on_behalf_of=claims.delegator(said, trusted.names.on_behalf_of),
            claims=claims.kept(said, trusted.names.keep),
            expires_at=expires_at,
        )
        if find_any(msgspec.json.encode(principal)):  # blanked in every record, it would name nobody
            raise Unauthenticated("token.card_number")
        return principal

    def _check_times(self, said: Mapping[str, Json]) -> int:
        """When the token ends, in seconds since the epoch, skew included."""
        now = self._clock.now_ns() / 1_000_000_000
        expiry = claims.number(said, "exp")
        if expiry is None:
            raise Unauthenticated("token.no_expiry")
        expires_at = min(int(expiry), MAX_TIME) + self._skew
        if now >= expires_at:
            raise Unauthenticated("token.expired")
        if now + self._skew < (claims.number(said, "nbf") or 0):
            raise Unauthenticated("token.not_yet_valid")
        if now + self._skew < (claims.number(said, "iat") or 0):
            raise Unauthenticated("token.issued_in_future")
        return expires_at


def _take_apart(token: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """Header and claims of a compact JWS (RFC 7515 §3.1), not verified."""
    if not token:
        raise Unauthenticated("token.missing")
    if len(token) > MAX_TOKEN:
        raise Unauthenticated("token.too_large")
    if not _COMPACT.fullmatch(token):
        encrypted = token.count(".") == _ENCRYPTED_PARTS - 1 and token.startswith("ey")
        raise Unauthenticated("token.encrypted" if encrypted else "token.malformed")
    header, payload, _ = token.split(".")
    return _json_object(header), _json_object(payload)


def _json_object(part: str) -> dict[str, Json]:
    try:
        data = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        value: Json = json.loads(
            data.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise Unauthenticated("token.malformed") from None
    if not isinstance(value, dict):
        raise Unauthenticated("token.malformed")
    return value


def _without_repetition(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Refuse a name said twice: two readers would believe two different values (RFC 7515 §4)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _no_constant(_: str) -> Json:
    raise ValueError("NaN and Infinity are not JSON")


def _read_header(header: Mapping[str, Json]) -> tuple[str, str | None]:
    """Algorithm and key id. Keys a token brings along (`jwk`, `jku`, `x5c`, `x5u`) are never looked at."""
    if "crit" in header or "b64" in header:
        raise Unauthenticated("token.critical")  # RFC 7515 §4.1.11: we understand none of what they may demand
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(algorithm, str) or not isinstance(kid, str | None) or not isinstance(typ, str | None):
        raise Unauthenticated("token.malformed")
    if typ is not None and typ.lower().removeprefix("application/") not in TOKEN_TYPES:
        raise Unauthenticated("token.type")
    return algorithm, kid


async def _key(keyring: Keyring, kid: str | None, algorithm: str) -> VerificationKey:
    key = (await keyring.current()).find(kid, algorithm) or (await keyring.refreshed()).find(kid, algorithm)
    if key is None:
        raise Unauthenticated("token.unknown_key")
    return key


def _check_signature(token: str, algorithm: str, key: VerificationKey) -> None:
    try:
        _SIGNATURES.decode_complete(token, key.public, algorithms=[algorithm])
    except jwt.InvalidSignatureError:
        raise Unauthenticated("token.signature") from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Unauthenticated("token.malformed") from None
