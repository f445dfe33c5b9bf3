"""Where the configured bundle comes from: a file that is watched, or an address of a bundle server that is polled.

Whatever comes is not believed here: it is bounded in size and time, and everything else is the activation's to prove.
"""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import aiohttp
import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import BundleRejected, GatewayError
from gateway.policy.archive import MAX_ARCHIVE_BYTES

BUNDLE_MAX: Final = MAX_ARCHIVE_BYTES
_OK, _NOT_MODIFIED = 200, 304
_NS: Final = 1_000_000_000


class Source(Protocol):
    """Gives the bytes of a bundle."""

    @property
    def place(self) -> str:
        """For people."""
        ...

    def moved(self) -> bool:
        """Whether it is time to look again. Cheap: asked every second."""
        ...

    async def fetch(self, *, anew: bool = False) -> bytes | None:
        """An archive; None when it is the one of the last time, unless asked `anew`. Raises BundleRejected."""
        ...


class FileSource:
    """A path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """The path."""
        return str(self._path)

    def moved(self) -> bool:
        """The file is another one, or was written to."""
        return self._stamp() != self._seen

    async def fetch(self, *, anew: bool = False) -> bytes | None:
        """Its content."""
        stamp = self._stamp()
        if stamp == self._seen and stamp and not anew:
            return None
        self._seen = stamp
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                raw = file.read(BUNDLE_MAX + 1)
        except OSError as error:
            raise BundleRejected("bundle.missing", f"{self._path.name}: {error.strerror}") from None
        if len(raw) > BUNDLE_MAX:
            raise BundleRejected("bundle.too_large")
        return raw

    def _stamp(self) -> tuple[int, ...]:
        """Changes when the file does; empty while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_mtime_ns, found.st_size, found.st_ino)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle server, and how it is asked."""

    url: str
    poll: float = 30.0
    """seconds between looks"""
    timeout: float = 10.0
    """seconds for one look"""
    ca: Path | None = None
    token: Callable[[], str] | None = None


class UrlSource:
    """An address, polled with the ETag of what it gave last. No redirects: the address is what was configured."""

    def __init__(self, address: Address, clock: Clock) -> None:
        self._address = address
        self._clock = clock
        self._etag = ""
        self._asked_at: int | None = None

    @property
    def place(self) -> str:
        """The address."""
        return self._address.url

    def moved(self) -> bool:
        """The time between looks is over."""
        if self._asked_at is None:
            return True
        return self._clock.monotonic_ns() - self._asked_at >= self._address.poll * _NS

    async def fetch(self, *, anew: bool = False) -> bytes | None:
        """What the server has now."""
        self._asked_at = self._clock.monotonic_ns()
        if anew:
            self._etag = ""
        try:
            async with asyncio.timeout(self._address.timeout):
                return await self._get()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise BundleRejected("bundle.unreachable", type(error).__name__) from None
        except GatewayError as error:
            if isinstance(error, BundleRejected):
                raise
            raise BundleRejected("bundle.unreachable", f"{error.code}: {error.detail}") from None

    async def _get(self) -> bytes | None:
        headers, tls = await asyncio.to_thread(self._prepared)
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.get(self._address.url, headers=headers, allow_redirects=False, ssl=tls or True) as response,
        ):
            if response.status == _NOT_MODIFIED and self._etag:
                return None
            if response.status != _OK:
                raise BundleRejected("bundle.unreachable", f"status {response.status}")
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > BUNDLE_MAX:
                    raise BundleRejected("bundle.too_large")
            self._etag = response.headers.get("ETag", "")
            return bytes(body)

    def _prepared(self) -> tuple[dict[str, str], ssl.SSLContext | None]:
        """Headers and TLS; both are made of files."""
        headers = {"Accept": "application/gzip", "Accept-Encoding": "identity"}
        if self._etag:
            headers["If-None-Match"] = self._etag
        if self._address.token is not None:
            headers["Authorization"] = f"Bearer {self._address.token()}"
        ca = self._address.ca
        return headers, ssl.create_default_context(cafile=ca) if ca else None
