"""The listener speaks TLS when it has a certificate, and its port is free when it has ended."""

import ssl
from pathlib import Path

import aiohttp
import pytest

from gateway.frontends.certificate import Certificate
from gateway.frontends.http.server import serving
from gateway.frontends.listener import bind
from tests.frontends.http.world import Listener, got
from tests.support import certificates


async def test_with_a_certificate_it_speaks_tls_and_nothing_else(tmp_path: Path) -> None:
    tls = certificates.issue(tmp_path)
    context = Certificate(tmp_path / "server.pem", tmp_path / "server.key", ["http/1.1"]).context()
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with serving(sock, Listener().desk, context):
        trusting = ssl.create_default_context(cafile=tls.ca)
        connector = aiohttp.TCPConnector(ssl=trusting)
        async with aiohttp.ClientSession(f"https://127.0.0.1:{port}", connector=connector) as session:
            assert (await got(session, "/healthz"))[0] == 200
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            with pytest.raises(aiohttp.ClientError):
                await got(session, "/healthz")
    bind("127.0.0.1", port).close()
