"""Bearer tokens of the http listener: readers of the bundle and of the log show one (RFC 6750)."""

import hmac
from collections.abc import Callable

from aiohttp import web


def shows(request: web.Request, token: Callable[[], str]) -> bool:
    """Whether the request shows this token. `token` may block and raise Unavailable."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token().encode())


def asks_for_one() -> web.Response:
    """What everybody else is told."""
    return web.Response(status=401, text="401\n", headers={"WWW-Authenticate": "Bearer"})
