"""What an http listener answers: the active bundle, the log, /healthz, /readyz, /metrics. Nothing else."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.core.errors import Unavailable
from gateway.frontends.http.bearer import asks_for_one, shows
from gateway.frontends.http.log import PATH as LOG_PATH
from gateway.frontends.http.log import LogDesk
from gateway.frontends.http.shelf import Shelf
from gateway.frontends.http.state import State

WAIT_MAX: Final = 60.0
"""seconds that an OPA may wait for the next bundle (`polling.long_polling_timeout_seconds`)"""
BUNDLE: Final = "application/vnd.openpolicyagent.bundles"
"""what tells OPA that it may wait (OPA's documentation, "HTTP Long Polling")"""
_WAIT: Final = re.compile(r"(?:^|[;,\s])wait=([0-9]{1,4})\b")
_TAG: Final = re.compile(r'(?:W/)?"([0-9a-f]{64})"')
_PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Desk:
    """What the routes answer from."""

    shelf: Shelf
    state: State
    name: str
    """of the bundle, in its address"""
    token: Callable[[], str] | None = None
    """that readers of the bundle must give; read at each request"""
    log: LogDesk | None = None


def application(desk: Desk) -> web.Application:
    """An application with these routes."""
    routes = _Routes(desk)
    made = web.Application(middlewares=[_sealed], client_max_size=1)
    made.router.add_get(f"/v1/bundles/{desk.name}.tar.gz", routes.bundle)
    if desk.log is not None:
        made.router.add_get(LOG_PATH, desk.log.get)
    made.router.add_get("/healthz", routes.healthz)
    made.router.add_get("/readyz", routes.readyz)
    made.router.add_get("/metrics", routes.metrics)
    return made


@web.middleware
async def _sealed(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """No page of ours is ever shown, kept or guessed at by a browser; errors say their status and nothing else."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        response = web.Response(status=error.status, text=f"{error.status}\n", headers=allow)
    except Unavailable as error:
        response = web.Response(status=error.entry.http, text=f"{error.code}\n")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


class _Routes:
    """The answers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def bundle(self, request: web.Request) -> web.StreamResponse:
        """The archive, unless the reader has it; who says `Prefer: wait=N` waits so long for another one."""
        if self._desk.token is not None and not shows(request, self._desk.token):
            return asks_for_one()
        had = _TAG.fullmatch(request.headers.get("If-None-Match", ""))
        wait = _WAIT.search(request.headers.get("Prefer", ""))
        seconds = min(float(wait[1]), WAIT_MAX) if wait else 0.0
        laid = await self._desk.shelf.other_than(had[1] if had else "", seconds)
        if laid is None:
            if had is None:
                return web.Response(status=404, text="no bundle is active\n")
            return web.Response(status=304, headers={"ETag": f'"{had[1]}"', "Content-Type": BUNDLE})
        headers = {"ETag": f'"{laid.sha256}"', "Content-Type": BUNDLE, "Cache-Control": "no-cache"}
        return web.Response(body=laid.raw, headers=headers)

    async def healthz(self, _: web.Request) -> web.Response:
        """The process answers."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """It could decide and record; else the codes of what is missing."""
        missing = await self._desk.state.why_not_ready()
        return web.json_response({"ready": not missing, "missing": missing}, status=503 if missing else 200)

    async def metrics(self, _: web.Request) -> web.Response:
        """Numbers."""
        return web.Response(body=self._desk.state.metrics(), headers={"Content-Type": _PLAIN})
