"""An http listener that runs, and what it answers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp

from gateway.frontends.http.routes import Desk
from gateway.frontends.http.server import serving
from gateway.frontends.http.shelf import Shelf
from gateway.frontends.http.state import Family, State
from gateway.frontends.listener import bind


class Listener:
    """One."""

    def __init__(self, token: Callable[[], str] | None = None) -> None:
        self.shelf = Shelf()
        self.missing: list[str] = []
        families = [
            Family("querywarden_stops", "Stops.", lambda: {"": 2.0}),
            Family("querywarden_decisions", "Decisions.", lambda: {"deny": 3.0, "allow": 1.0}, "outcome", counter=True),
        ]
        self.desk = Desk(self.shelf, State(self._why, families), "pci", token)
        self.url = ""

    async def _why(self) -> list[str]:
        return self.missing

    @asynccontextmanager
    async def running(self) -> AsyncIterator[aiohttp.ClientSession]:
        sock = bind("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{sock.getsockname()[1]}"
        async with serving(sock, self.desk, None), aiohttp.ClientSession(self.url) as session:
            yield session
        await asyncio.sleep(0.02)  # transports close one turn of the loop after they are told to


async def got(
    session: aiohttp.ClientSession, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, Mapping[str, str], bytes]:
    """Status, headers and body."""
    async with session.request(method, path, headers=headers, allow_redirects=False) as response:
        return response.status, response.headers, await response.read()
