"""POST over HTTP as every http sink needs it: certificates verified, no redirect followed, answers bounded."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from gateway.core.clock import Clock
from gateway.evidence.sinks.answers import Later, Refused
from gateway.evidence.sinks.aside import aside

_LONGEST_ANSWER: Final = 1 << 20
_KEPT_NS: Final = 60 * 1_000_000_000
_NO_CONTENT: Final = 204
_OURS: Final = frozenset({400, 406, 413, 415, 422, 431})
"""statuses that say it is what we sent; all others say it is the receiver, its address, or our credential"""

Reveal = Callable[[], str]


class Place(NamedTuple):
    """Where a receiver is, and how it is made sure that it is the one."""

    url: str
    timeout: float
    """seconds for a whole request"""
    ca: Path | None = None
    """authority of the receiver when it is a private one; else those of the system"""
    cert: tuple[Path, Path] | None = None
    """certificate and key that we show"""


class Credential:
    """A secret by reference, read anew each minute and after a receiver refused it, so that it can be changed."""

    def __init__(self, reveal: Reveal, clock: Clock) -> None:
        self._reveal, self._clock = reveal, clock
        self._value, self._until = "", 0

    async def value(self) -> str:
        """The secret; it may be a program's output, so a thread reads it. Raises Unavailable."""
        if self._clock.monotonic_ns() >= self._until:
            self._value = await aside(self._reveal)
            self._until = self._clock.monotonic_ns() + _KEPT_NS
        return self._value

    def heed(self, reply: "Reply | Later") -> None:
        """Forget it when an answer says that it is not good."""
        if isinstance(reply, Reply) and reply.status in {401, 403}:
            self._until = 0


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    after: float | None
    """seconds of Retry-After"""

    @property
    def ok(self) -> bool:
        """A status of 200 to 299."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- RFC 9110, §15.3

    def failure(self) -> Later | Refused:
        """What a status that is not well means for the batch."""
        reason = f"http.{self.status}"
        return Refused(reason) if self.status in _OURS else Later(reason, self.after)


class Post:
    """One receiver's connection. Certificates are read again for each new session, so that they can be replaced."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._session: aiohttp.ClientSession | None = None

    async def send(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply | Later:
        """POST to the place's address and `path`."""
        try:
            session = self._session or await self._open()
            url = self._place.url.rstrip("/") + path if path else self._place.url
            async with session.post(url, data=body, headers=dict(headers), allow_redirects=False) as response:
                if not _has_end(response):
                    return Later("http.no_end")
                answer = await response.content.read(_LONGEST_ANSWER)
                while len(answer) < _LONGEST_ANSWER and (more := await response.content.read(_LONGEST_ANSWER)):
                    answer += more
                return Reply(response.status, answer[:_LONGEST_ANSWER], _seconds(response.headers.get("Retry-After")))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            await self.close()  # a new one reads certificates and resolves the name again
            return Later(f"http.{_kind(error)}")

    async def close(self) -> None:
        """Close the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _open(self) -> aiohttp.ClientSession:
        context = await aside(client_context, self._place.ca, self._place.cert)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=2),
            timeout=aiohttp.ClientTimeout(total=self._place.timeout),
            trust_env=False,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "querywarden"},
        )
        return self._session


def _has_end(response: aiohttp.ClientResponse) -> bool:
    """Whether an answer says where it ends. One that ends with its connection may have been cut on its way."""
    chunked = response.headers.get("Transfer-Encoding", "").lower() == "chunked"
    return chunked or response.status == _NO_CONTENT or "Content-Length" in response.headers


def client_context(ca: Path | None, cert: tuple[Path, Path] | None) -> ssl.SSLContext:
    """TLS that verifies certificate and name. Raises OSError (SSLError is one)."""
    context = ssl.create_default_context(cafile=ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert is not None:
        context.load_cert_chain(*cert)
    return context


def _kind(error: BaseException) -> str:
    """The kind of an error; of a certificate that does not fit, that."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "certificate"
    return type(error).__name__


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 7 else None  # noqa: PLR2004 -- more is no number of seconds
