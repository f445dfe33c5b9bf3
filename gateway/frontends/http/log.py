"""The log over HTTP, as C2SP tlog-tiles has it: checkpoint, tiles and entry bundles are files, served as they lie.

    /v1/log/checkpoint              the newest checkpoint, signed; with its cosignatures if it has any yet
    /v1/log/cosigned                the newest checkpoint that the most witnesses have cosigned
    /v1/log/key                     the log's public key, for who cannot have it in a better way
    /v1/log/tile/<L>/<N>[.p/<W>]    hashes
    /v1/log/tile/entries/<N>[.p/<W>]  the leaves: only with the token, even on loopback
    /v1/log/epoch/<E>/…             the same of one epoch, under an address that is always of this epoch

A path is taken to the letter, without any decoding, and only when it is one of these: nothing else can be named.
"""

import asyncio
import gzip
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from gateway.evidence.cosigned import best_cosigned
from gateway.evidence.reader import LogReader
from gateway.evidence.tiles import WIDTH, Tile, join_entries
from gateway.frontends.http.bearer import asks_for_one, shows

PATH: Final = "/v1/log/{tail:.*}"
_RESOURCE: Final = re.compile(
    r"/v1/log/(?:epoch/(?P<epoch>[1-9][0-9]{0,8})/)?"
    r"(?:(?P<note>checkpoint|cosigned|key)"
    r"|tile/(?:(?P<level>[0-9]|[1-5][0-9]|6[0-3])|entries)/(?P<number>(?!x000)(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?)"
)
_TAKES_GZIP: Final = re.compile(r"(?i)(?:^|,)\s*(?:gzip|\*)\s*(?:;\s*q=(?:1|0\.0*[1-9])[0-9.]*\s*)?(?:,|$)")
"""RFC 9110, §12.5.3; a weight of nothing is a no"""
_TEXT: Final = "text/plain; charset=utf-8"
_BYTES: Final = "application/octet-stream"
FOR_EVER: Final = "private, max-age=31536000, immutable"
FOR_A_DAY: Final = "private, max-age=86400"
"""a partial tile does not change either, but a full one soon takes its place"""
AT_ONCE: Final = 4
"""files that are read and packed beside each other, at most"""


class Served(NamedTuple):
    """One resource of the log."""

    body: bytes
    kind: str
    caching: str


@dataclass(eq=False)
class LogDesk:
    """The log that is served, and to whom."""

    data_dir: Path
    epoch: Callable[[], int]
    """the one that is written now"""
    loopback: bool
    """the listener can be reached from this machine only"""
    accessed: Callable[[str], Awaitable[None]]
    """records that somebody at this address reads entries; raises Unavailable when it cannot"""
    token: Callable[[], str] | None = None
    """that readers must show; read at each request, may block"""
    gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        found = _RESOURCE.fullmatch(request.raw_path)
        if found is None:
            raise web.HTTPNotFound
        entries = found["note"] is None and found["level"] is None
        if self.token is None and (entries or not self.loopback):
            return web.Response(status=403, text="this needs the token of evidence.publish, and none is configured\n")
        async with self.gate:
            if self.token is not None and not await asyncio.to_thread(shows, request, self.token):
                return asks_for_one()
            served = await asyncio.to_thread(self._read, found)
        if served is None:
            raise web.HTTPNotFound
        accepted = request.headers.get("Accept-Encoding", "")
        if entries:
            await self.accessed(request.remote or "")
        return await self._answer(served, packed=entries and bool(_TAKES_GZIP.search(accepted)))

    async def _answer(self, served: Served, *, packed: bool) -> web.Response:
        headers = {"Content-Type": served.kind, "Cache-Control": served.caching, "Vary": "Accept-Encoding"}
        body = served.body
        if packed:
            async with self.gate:
                body = await asyncio.to_thread(gzip.compress, body, 1, mtime=0)
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def _read(self, found: re.Match[str]) -> Served | None:
        """The resource; None when it is not there, or cannot be read."""
        reader = LogReader(self.data_dir, int(found["epoch"] or self.epoch()))
        try:
            if found["note"] is not None:
                return _note(reader, found["note"])
            number = int(found["number"].replace("x", "").replace("/", ""))
            width = int(found["width"] or WIDTH)
            if found["level"] is None:
                body = join_entries(reader.entries(number, width))
            else:
                body = reader.tile(Tile(int(found["level"]), number, width))
        except (OSError, ValueError):
            return None
        return Served(body, _BYTES, FOR_EVER if width == WIDTH else FOR_A_DAY)


def _note(reader: LogReader, name: str) -> Served | None:
    match name:
        case "checkpoint":
            body: bytes | None = reader.note
        case "cosigned":
            body = best_cosigned(reader.prefix, reader.verifier, 0)
        case _:
            body = f"{reader.verifier.encode()}\n".encode()
    return None if body is None else Served(body, _TEXT, "no-cache")
