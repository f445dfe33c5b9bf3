"""Asks a witness or a time-stamping authority over HTTP: one connection, no redirects, bounded in time and size."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp

from gateway.evidence.witness import MAX_ANSWER, Answer, Trouble, Why

ADD_CHECKPOINT: Final = "/add-checkpoint"
TEXT: Final = "text/plain; charset=utf-8"


class Address(NamedTuple):
    """Where questions go, and how they are put."""

    url: str
    timeout: float = 5.0
    """seconds for one question"""
    ca: Path | None = None
    """authority of an https address; the system's when absent"""


class Line:
    """The line to one of them."""

    def __init__(self, address: Address, method: str = ADD_CHECKPOINT, kind: str = TEXT) -> None:
        """`method` is put behind the address, `kind` is what a question is in HTTP's terms."""
        self._address = address
        self._url = address.url.rstrip("/") + method if method else address.url
        self._headers = {"Accept-Encoding": "identity", "Content-Type": kind}
        self._session: aiohttp.ClientSession | None = None

    async def post(self, body: bytes) -> Answer | Trouble:
        """Ask."""
        try:
            async with asyncio.timeout(self._address.timeout):
                return await self._post(body)
        except TimeoutError:
            return Trouble(Why.TIMEOUT)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Trouble(Why.UNREACHABLE, type(error).__name__)

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, body: bytes) -> Answer | Trouble:
        if self._session is None:
            tls = await asyncio.to_thread(_context, self._address.ca)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls, limit=1),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,  # so that the bound on its size means what it says
            )
        async with self._session.post(self._url, data=body, headers=self._headers, allow_redirects=False) as response:
            found = bytearray()
            async for piece in response.content.iter_any():
                found += piece
                if len(found) > MAX_ANSWER:
                    return Trouble(Why.ANSWER, "too long")
            return Answer(response.status, bytes(found))


def _context(ca: Path | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)


@asynccontextmanager
async def at_work(run: Callable[[], Awaitable[None]], lines: Sequence[Line]) -> AsyncIterator[None]:
    """Work over these lines while the block runs, if there are any; then it ends, and they are closed."""
    running = asyncio.ensure_future(run()) if lines else None
    try:
        yield
    finally:
        if running is not None:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
        for line in lines:
            await line.close()
