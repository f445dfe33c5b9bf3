"""Where an issuer's keys come from: a file, an address, or OpenID Connect discovery; kept, refreshed, never guessed.

A set is used until its age passes what the issuer said (`Cache-Control: max-age`), then fetched again with its ETag.
When that fails the old set serves on for a while (`STALE`): the restart of an identity provider ends no work. A token
with an unknown key id makes us look again, but not more often than every `FLOOR`: callers cannot make us flood the
issuer. Many callers wait for one fetch. No redirects, no plain HTTP but to loopback, limits on size and time.
"""

import asyncio
import json
import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from ssl import SSLContext
from typing import Final, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unauthenticated
from gateway.identity.keys import MAX_SET_BYTES, BadKeySet, KeySet, parse_key_set

SECOND: Final = 1_000_000_000
FLOOR: Final = 10 * SECOND
STALE: Final = 3600 * SECOND
MIN_AGE: Final = 60 * SECOND
USUAL_AGE: Final = 600 * SECOND
MAX_AGE: Final = 24 * 3600 * SECOND
FETCH_SECONDS: Final = 5.0
WELL_KNOWN: Final = "/.well-known/openid-configuration"

_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,9})", re.IGNORECASE)
_NOT_MODIFIED: Final = 304
_OK: Final = 200
T = TypeVar("T")


class FetchFailed(Exception):
    """A document could not be had. The text says why."""


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What an address answered. `body` is None when it is the one of the ETag we named."""

    body: bytes | None
    etag: str = ""
    max_age_ns: int = USUAL_AGE


class Fetch(Protocol):
    """Gets a document by GET."""

    async def __call__(self, url: str, etag: str) -> Document:
        """Raises `FetchFailed`."""
        ...


class HttpFetch:
    """GET over aiohttp. A connection for each fetch: there are a few an hour."""

    def __init__(self, tls: SSLContext | None = None) -> None:
        self._tls = tls

    async def __call__(self, url: str, etag: str) -> Document:
        """The document at `url`, at most `MAX_SET_BYTES`, within `FETCH_SECONDS`."""
        if not is_safe_url(url):
            raise FetchFailed("the address is not https")
        headers = {"Accept": "application/json", **({"If-None-Match": etag} if etag else {})}
        timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, headers=headers, allow_redirects=False, ssl=self._tls or True) as response,
            ):
                return await _document(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise FetchFailed(type(error).__name__) from None


async def _document(response: aiohttp.ClientResponse) -> Document:
    etag, age = response.headers.get("ETag", ""), max_age_ns(response.headers.get("Cache-Control", ""))
    if response.status == _NOT_MODIFIED:
        return Document(body=None, etag=etag, max_age_ns=age)
    if response.status != _OK:
        raise FetchFailed(f"status {response.status}")
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_SET_BYTES:
            raise FetchFailed("the answer is too large")
    return Document(body=bytes(body), etag=etag, max_age_ns=age)


def max_age_ns(cache_control: str) -> int:
    """How long an answer may be used, between a minute and a day (RFC 9111 §5.2.2.1)."""
    found = _MAX_AGE.search(cache_control)
    return min(max(int(found[1]) * SECOND, MIN_AGE), MAX_AGE) if found else USUAL_AGE


def is_safe_url(url: str) -> bool:
    """Whether keys may be fetched from here: https, or http to loopback."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by number or as `localhost`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Cached:
    """A keyring that remembers what a source said; the rules for when to ask again stand at the top of this file."""

    def __init__(self, source: "Source", clock: Clock, note: Callable[[str], None] = lambda _: None) -> None:
        self._source = source
        self._clock = clock
        self._note = note
        self._lock = asyncio.Lock()
        self._keys: KeySet | None = None
        self._read_at = 0
        self._use_until = 0
        self._failed_at: int | None = None
        self._asked_at: int | None = None

    async def current(self) -> KeySet:
        """The keys as known now. Raises `Unauthenticated("token.keys_unavailable")`."""
        if self._is_old():
            async with self._lock:
                if self._is_old() and (self._source.moved() or self._is_over(self._failed_at)):
                    await self._read()
        return self._known()

    async def refreshed(self) -> KeySet:
        """The keys after another look, if the last one was not just now."""
        asked_at = self._clock.monotonic_ns()
        async with self._lock:
            if self._read_at <= asked_at and self._is_over(self._asked_at):
                self._asked_at = self._clock.monotonic_ns()
                await self._read()
        return self._known()

    def _is_old(self) -> bool:
        return self._keys is None or self._clock.monotonic_ns() >= self._use_until or self._source.moved()

    def _is_over(self, moment: int | None) -> bool:
        return moment is None or self._clock.monotonic_ns() - moment >= FLOOR

    def _known(self) -> KeySet:
        if self._keys is None or self._clock.monotonic_ns() >= self._use_until + STALE:
            raise Unauthenticated("token.keys_unavailable")
        return self._keys

    async def _read(self) -> None:
        """One look; what is wrong with it is noted, and the old set stays."""
        try:
            keys, age = await self._source.read(self._keys)
        except (FetchFailed, BadKeySet) as error:
            self._failed_at = self._clock.monotonic_ns()
            self._note(f"keys not read: {error}")
            return
        self._read_at = self._clock.monotonic_ns()
        self._keys, self._use_until, self._failed_at = keys, self._read_at + age, None


class Source(Protocol):
    """Reads key sets."""

    def moved(self) -> bool:
        """Whether it is known, at no cost, that there is something new."""
        ...

    async def read(self, known: KeySet | None) -> tuple[KeySet, int]:
        """The set and for how many nanoseconds it may be used. Raises `FetchFailed` or `BadKeySet`."""
        ...


class FromFile:
    """A JWKS file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def moved(self) -> bool:
        """Whether the file is another one than the one read last."""
        return self._stat() != self._seen

    async def read(self, known: KeySet | None) -> tuple[KeySet, int]:  # noqa: ARG002 -- the protocol's shape
        """Read the file. It is small and local."""
        self._seen = self._stat()
        try:
            with self._path.open("rb") as file:
                data = file.read(MAX_SET_BYTES + 1)
        except OSError as error:
            raise FetchFailed(error.strerror or "not readable") from None
        return parse_key_set(data), MIN_AGE

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino


class FromAddress:
    """A `jwks_uri`."""

    def __init__(self, uri: str, fetch: Fetch) -> None:
        self._uri = uri
        self._fetch = fetch
        self._etag = ""

    def moved(self) -> bool:
        """Never known without asking."""
        return False

    async def read(self, known: KeySet | None) -> tuple[KeySet, int]:
        """Fetch the set, or learn that it is still the one we know."""
        answer = await self._fetch(self._uri, self._etag if known is not None else "")
        if answer.body is None:
            if known is None:
                raise FetchFailed("not modified, but we have none")
            return known, answer.max_age_ns
        keys = parse_key_set(answer.body)
        self._etag = answer.etag
        return keys, answer.max_age_ns


class FromDiscovery:
    """An issuer that says at its well-known address where its keys are (OpenID Connect Discovery 1.0 §4)."""

    def __init__(self, issuer: str, fetch: Fetch) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._address: FromAddress | None = None
        self._uri = ""

    def moved(self) -> bool:
        """Never known without asking."""
        return False

    async def read(self, known: KeySet | None) -> tuple[KeySet, int]:
        """Ask where the keys are, then for the keys."""
        uri = _jwks_uri(await self._fetch(self._issuer.rstrip("/") + WELL_KNOWN, ""), self._issuer)
        if self._address is None or uri != self._uri:
            self._uri, self._address = uri, FromAddress(uri, self._fetch)
            known = None
        return await self._address.read(known)


def _jwks_uri(answer: Document, issuer: str) -> str:
    """The address of the keys. The document must be this issuer's own, to the letter (§4.3)."""
    try:
        document = json.loads(answer.body or b"")
    except (ValueError, RecursionError):
        raise FetchFailed("the discovery document is not JSON") from None
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise FetchFailed("the discovery document is another issuer's")
    uri = document.get("jwks_uri")
    if not isinstance(uri, str) or not is_safe_url(uri):
        raise FetchFailed("the discovery document names no https address of keys")
    return uri
