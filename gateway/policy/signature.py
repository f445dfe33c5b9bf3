"""OPA's `.signatures.json`: one JWT (RFC 7519) whose claims list every file of the bundle with its hash.

Written and verified here so that neither needs OPA, and so that OPA verifies what we sign. Stricter than OPA where its
format leaves room: one signature, the key's own algorithm, no hash but SHA-256, a key id, a time from which it holds.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from gateway.core.errors import BundleRejected
from gateway.policy.digests import SIGNATURES, canonical, file_hash
from gateway.policy.keys import SigningKey, VerificationKey

Second: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class FileHash(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signed file."""

    name: str
    hash: str
    algorithm: str


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a signature says beside the files. Other claims are left alone: OPA has more of them."""

    keyid: str
    sequence: Second
    """grows with each release: an older one is recognised"""
    not_before: Second
    """seconds since the epoch"""
    expires_at: Second | UnsetType = UNSET
    """seconds since the epoch; the signature holds until then, not at it"""
    scope: str = ""


class _Payload(Claims, frozen=True, kw_only=True):
    files: tuple[FileHash, ...]


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    alg: str
    kid: str = ""


class _Signatures(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    signatures: tuple[str, ...]


def sign(
    files: Mapping[str, bytes],
    key: SigningKey,
    *,
    sequence: int = 1,
    not_before: int = 0,
    expires_at: int | None = None,
) -> bytes:
    """The content of `.signatures.json` for files. RS256 gives the same bytes for the same files and claims."""
    claims = Claims(
        keyid=key.public.keyid,
        sequence=sequence,
        not_before=not_before,
        expires_at=UNSET if expires_at is None else expires_at,
    )
    payload = {
        **msgspec.to_builtins(claims),
        "files": [
            {"algorithm": "SHA-256", "hash": file_hash(name, content), "name": name}
            for name, content in sorted(files.items())
            if name != SIGNATURES
        ],
    }
    header = {"alg": key.public.algorithm, "kid": key.public.keyid, "typ": "JWT"}
    message = f"{_encoded(canonical(header))}.{_encoded(canonical(payload))}"
    return written(f"{message}.{_encoded(key.sign(message.encode('ascii')))}")


def written(token: str) -> bytes:
    """`.signatures.json` around a token."""
    return canonical({"signatures": [token]})


def token_of(signatures: bytes) -> str:
    """The one token of `.signatures.json`, whoever wrote it. Raises BundleRejected."""
    try:
        tokens = msgspec.json.decode(signatures, type=_Signatures).signatures
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BundleRejected("bundle.malformed", f"{SIGNATURES} is not a list of signatures") from None
    if len(tokens) != 1:
        raise BundleRejected("bundle.malformed", f"{SIGNATURES} holds {len(tokens)} signatures instead of one")
    return tokens[0]


def verify(files: Mapping[str, bytes], keys: Sequence[VerificationKey]) -> tuple[Claims, VerificationKey]:
    """What the signature says, and the key that made it. Raises BundleRejected unless every file is the signed one."""
    signatures = files.get(SIGNATURES)
    if signatures is None:
        raise BundleRejected("bundle.unsigned")
    token = token_of(signatures)
    if written(token) != signatures:
        raise BundleRejected("bundle.malformed", f"{SIGNATURES} is not in canonical form")
    payload, key = _verified(token, keys)
    _compare({name: content for name, content in files.items() if name != SIGNATURES}, payload.files)
    return payload, key


def _verified(token: str, keys: Sequence[VerificationKey]) -> tuple[_Payload, VerificationKey]:
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():  # noqa: PLR2004 -- header, payload, signature
        raise BundleRejected("bundle.malformed", "the signature is not a JWT")
    header_raw, payload_raw, signature = (_decoded(part) for part in parts)
    try:
        header = msgspec.json.decode(header_raw, type=_Header)
        payload = msgspec.json.decode(payload_raw, type=_Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise BundleRejected("bundle.claims", "keyid, sequence, not_before and files must stand in it") from None
    if not payload.keyid or payload.scope or header.kid not in {"", payload.keyid}:
        raise BundleRejected("bundle.claims", "the key id is missing or given twice, or there is a scope")
    candidates = [key for key in keys if key.keyid == payload.keyid] or [key for key in keys if not key.named]
    if not candidates:
        raise BundleRejected("bundle.unknown_key", f"the signature names the key {payload.keyid!r}")
    fitting = [key for key in candidates if key.algorithm == header.alg]
    if not fitting:
        raise BundleRejected("bundle.algorithm", f"the signature says {header.alg!r}")
    message = f"{parts[0]}.{parts[1]}".encode("ascii")
    for key in fitting:
        if key.verifies(message, signature):
            return payload, key
    raise BundleRejected("bundle.signature")


def _compare(files: Mapping[str, bytes], signed: Sequence[FileHash]) -> None:
    hashes = {entry.name: entry.hash for entry in signed}
    if len(hashes) != len(signed) or any(entry.algorithm != "SHA-256" for entry in signed):
        raise BundleRejected("bundle.claims", "each file is signed once, with its SHA-256")
    if missing := sorted(hashes.keys() - files.keys()):
        raise BundleRejected("bundle.tampered", f"missing: {', '.join(missing)}")
    if extra := sorted(files.keys() - hashes.keys()):
        raise BundleRejected("bundle.tampered", f"not signed: {', '.join(extra)}")
    if changed := sorted(name for name, content in files.items() if file_hash(name, content) != hashes[name]):
        raise BundleRejected("bundle.tampered", f"changed: {', '.join(changed)}")


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _decoded(text: str) -> bytes:
    """Base64url without padding, in its one canonical spelling (RFC 7515, §2)."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BundleRejected("bundle.malformed", "the signature is not base64url") from None
    if _encoded(raw) != text:
        raise BundleRejected("bundle.malformed", "the signature is not spelt canonically")
    return raw
