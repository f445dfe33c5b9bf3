"""An OPA that answers what a test wants, over a unix socket."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from gateway.policy.bundle import Bundle
from gateway.policy.opa import Opa, Server

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def result(bundle: Bundle, *decisions: object, **other: object) -> dict[str, object]:
    """A result of the query as an OPA gives it that has loaded `bundle` from its endpoint."""
    return {
        "decisions": list(decisions),
        "etags": [f'"{bundle.sha256}"'],
        "revisions": [bundle.revision],
        "modules": [hashlib.sha256(bundle.wasm).hexdigest()],
        "versions": ["1.22.2"],
        **other,
    }


def saying(*results: object, status: int = 200) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=json.dumps({"result": results}), content_type="application/json")

    return answer


@asynccontextmanager
async def opa(answer: Answer, *, timeout: float = 5.0) -> AsyncIterator[Opa]:  # noqa: ASYNC109 -- OPA's own
    """One that is up."""
    folder = Path(tempfile.mkdtemp(prefix="opa-"))  # a socket's path has 107 bytes at most
    application = web.Application()
    application.router.add_post("/v1/query", answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(folder / "s")).start()
    asked = Opa(Server(url=f"unix://{folder}/s", timeout=timeout))
    try:
        yield asked
    finally:
        await asked.close()
        await runner.cleanup()
        shutil.rmtree(folder)
