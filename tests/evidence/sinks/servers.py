"""Servers that answer what a test says, over TLS or without, and count what came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import trustme


class Came(NamedTuple):
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


class Said(NamedTuple):
    """One answer; `torn` ends the connection before its end."""

    status: int = 200
    body: bytes = b"{}"
    headers: str = ""
    torn: bool = False
    delay: float = 0.0
    endless: bool = False
    """it ends with the connection"""


Rule = Callable[[Came], Said]


@dataclass
class HttpServer:
    """Answers by its rule."""

    rule: Rule = lambda _: Said()
    came: list[Came] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        came = Came(first.split()[1], headers, await reader.readexactly(int(headers.get("content-length", "0"))))
        self.came.append(came)
        said = self.rule(came)
        await asyncio.sleep(said.delay)
        length = len(said.body) + (10 if said.torn else 0)
        end = "Connection: close" if said.endless else f"Content-Length: {length}"
        start = f"HTTP/1.1 {said.status} X\r\n{end}\r\n{said.headers}\r\n"
        writer.write(start.encode() + said.body)
        await writer.drain()
        return not (said.torn or said.endless)


@asynccontextmanager
async def http(rule: Rule, context: ssl.SSLContext | None = None) -> AsyncIterator[HttpServer]:
    server = HttpServer(rule, scheme="https" if context else "http")
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


class Authority(NamedTuple):
    """Files of an authority, of a server it knows, and of a client it knows."""

    ca: Path
    client: tuple[Path, Path]
    server: ssl.SSLContext
    strict: ssl.SSLContext
    """the same, for clients it knows only"""


def authority(folder: Path) -> Authority:
    made = trustme.CA()
    made.cert_pem.write_to_path(str(folder / "sink-ca.pem"))
    client = made.issue_cert("gateway.test")
    cert, key = folder / "client.pem", folder / "client.key"
    cert.write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    key.touch(mode=0o600)
    client.private_key_pem.write_to_path(str(key))
    contexts = []
    for wanted in (ssl.CERT_NONE, ssl.CERT_REQUIRED):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        made.issue_cert("127.0.0.1").configure_cert(context)
        made.configure_trust(context)
        context.verify_mode = wanted
        contexts.append(context)
    return Authority(folder / "sink-ca.pem", (cert, key), contexts[0], contexts[1])
