"""What a scan came to, as a document that is signed: for a package, an assessor, or the next scan.

DSSE (`dsse.py`) over canonical JSON of the type below, signed with the log's key or one of its own. It says what was
scanned and by which scanner, whether that scanner finds what is planted, and where something was found; never a digit.
"""

import datetime as dt
from typing import Final

import msgspec

from gateway.evidence.dsse import DsseError, seal, unseal
from gateway.evidence.note import Checkpoint, Signer, Verifier
from gateway.evidence.scan import Scanned
from gateway.evidence.scan_selftest import SelfTest

PAYLOAD_TYPE: Final = "application/vnd.querywarden.scan.v1+json"
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class Scanner(msgspec.Struct, frozen=True, kw_only=True):
    """What looked, and how it did in its own test."""

    name: str = "querywarden"
    version: str
    planted: int
    found: int
    missed: tuple[str, ...]
    false_alarms: int


class LogState(msgspec.Struct, frozen=True, kw_only=True):
    """The log's newest checkpoint when the scan ended."""

    origin: str
    size: int
    root: str


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where something looks like a card number, and how it is written."""

    file: str
    within: str = ""
    offset: int
    length: int
    kind: str


class Other(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was not looked into, and why."""

    file: str
    why: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The document."""

    v: int = 1
    ok: bool
    """everything was read, nothing was found, and the scanner finds what is planted"""
    started: str
    ended: str
    by: str
    scope: tuple[str, ...]
    with_recordings: bool
    """recordings were decrypted and looked into"""
    scanner: Scanner
    log: LogState | None = None
    files: int
    bytes: int
    unpacked: int
    root: str
    """RFC 6962 root, hex, over a line `sha256 size path` for each file, sorted"""
    total: int
    findings: tuple[Finding, ...]
    unread: tuple[Other, ...]
    passed: tuple[Other, ...]
    gone: int
    """files that went away meanwhile"""


class Occasion(msgspec.Struct, frozen=True, kw_only=True):
    """Who scanned what, when, with which program."""

    started_ns: int
    ended_ns: int
    by: str
    scope: tuple[str, ...]
    with_recordings: bool
    version: str
    checkpoint: Checkpoint | None = None


def document(scanned: Scanned, tested: SelfTest, occasion: Occasion) -> Result:
    """Put together."""
    head = occasion.checkpoint
    return Result(
        ok=scanned.ok and not tested.missed and not tested.false_alarms,
        started=_moment(occasion.started_ns),
        ended=_moment(occasion.ended_ns),
        by=occasion.by,
        scope=occasion.scope,
        with_recordings=occasion.with_recordings,
        scanner=Scanner(version=occasion.version, **tested._asdict()),
        log=None if head is None else LogState(origin=head.origin, size=head.size, root=head.root.hex()),
        files=scanned.files,
        bytes=scanned.size,
        unpacked=scanned.unpacked,
        root=scanned.root.hex(),
        total=scanned.total,
        findings=tuple(Finding(**{**found._asdict(), "kind": found.kind.value}) for found in scanned.found),
        unread=tuple(Other(**each._asdict()) for each in scanned.unread),
        passed=tuple(Other(**each._asdict()) for each in scanned.passed),
        gone=scanned.gone,
    )


def signed(result: Result, signer: Signer) -> bytes:
    """The envelope."""
    return seal(_ENCODER.encode(result), PAYLOAD_TYPE, signer)


def opened(envelope: bytes, verifier: Verifier) -> Result:
    """The document of an envelope that this key signed. Raises DsseError."""
    payload = unseal(envelope, PAYLOAD_TYPE, [verifier]).payload
    try:
        return msgspec.json.decode(payload, type=Result)
    except msgspec.DecodeError as error:
        raise DsseError("not the result of a scan") from error


def _moment(time_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(time_ns // 10**9, tz=dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
