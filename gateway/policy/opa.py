"""The engine `opa`: an OPA server (1.22 or newer), asked through opa-python-client over a unix socket, HTTP or HTTPS.

Each question is one query in one transaction of OPA's store: the decision, and what OPA says of the bundle it has just
decided by. The ETag that OPA got with a bundle from a bundle server is, from ours, the sha256 of the archive; revision
and hash of the compiled policy are compared, too. What was decided by any other bundle is no decision: it denies.

What is known of opa-python-client 3.0: it has a session only inside `async with`, knows neither unix sockets nor
private authorities (hence the sub-class), and sleeps between retries (hence none).
"""

import asyncio
import hashlib
import math
import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import msgspec
from opa_client import AsyncOpaClient

from gateway.core.errors import GatewayError
from gateway.core.principal import Json
from gateway.policy.bundle import Bundle
from gateway.policy.engine import EngineError

ANSWER_MAX: Final = 4 << 20
"""bytes"""
_BUNDLE: Final = 'data.system.bundles["{name}"]'
_QUERY: Final = "; ".join(
    f"{name} = [x | x = {path}]"
    for name, path in (
        ("decisions", "data.gateway.main.decision"),
        ("etags", f"{_BUNDLE}.etag"),
        ("revisions", f"{_BUNDLE}.manifest.revision"),
        ("modules", f"{_BUNDLE}.manifest.metadata.querywarden.wasm_sha256"),
        ("versions", "opa.runtime().version"),
    )
)
_DETOURS: Final = range(300, 400)
_ENCODER: Final = msgspec.json.Encoder(order="sorted")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where an OPA is, and how it is asked."""

    url: str
    """`unix:///run/opa.sock`, `http://host:port`, `https://host:port`"""
    timeout: float = 0.25
    """seconds for one question"""
    bundle: str = "querywarden"
    """what OPA's own configuration calls the gateway's bundle"""
    ca: Path | None = None
    """authority of its certificate, PEM; None: the system's"""
    cert: tuple[Path, Path] | None = None
    """certificate and key to show it, PEM"""
    token: Callable[[], str] | None = None
    """a bearer token, read when the session is made"""


class Answer(msgspec.Struct, frozen=True):
    """What one query found. Each is a list of one, or of none where the path is undefined."""

    decisions: tuple[Json, ...]
    etags: tuple[str, ...]
    revisions: tuple[str, ...]
    modules: tuple[str, ...]
    versions: tuple[str, ...]


class _Results(msgspec.Struct, frozen=True):
    result: tuple[Answer, ...] = ()


class _Bounded(aiohttp.ClientResponse):
    """An answer that is given up when it grows too large."""

    async def read(self) -> bytes:
        """The body. Raises aiohttp.ClientPayloadError."""
        if self._body is None:
            body = bytearray()
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > ANSWER_MAX:
                    self.close()
                    raise aiohttp.ClientPayloadError("too large")
            self._body = bytes(body)
        return self._body


async def _no_detours(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A document goes to the server that was configured, and to no other."""
    response = await ask(request)
    if response.status in _DETOURS:
        response.close()
        raise aiohttp.ClientPayloadError("a redirect")
    return response


class Client(AsyncOpaClient):
    """opa-python-client with a unix socket, a private authority, an answer of bounded size, and no redirects."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.url)
        secure, host = parts.scheme == "https", parts.hostname or "localhost"
        super().__init__(
            host=f"[{host}]" if ":" in host else host,
            port=parts.port or (443 if secure else 8181),
            ssl=secure,
            token=server.token() if server.token else None,
            retries=0,
            timeout=server.timeout,
        )
        self._socket = parts.path if parts.scheme == "unix" else ""
        self._tls = _context(server) if secure else None

    async def _init_session(self) -> None:
        if self._socket:
            self._connector = aiohttp.UnixConnector(self._socket)
        else:
            self._connector = aiohttp.TCPConnector(ssl=self._tls or True)
        self._session = aiohttp.ClientSession(
            headers=self.headers,
            connector=self._connector,
            timeout=aiohttp.ClientTimeout(total=self.timeout),
            response_class=_Bounded,
            middlewares=(_no_detours,),
        )


class Opa:
    """One OPA server, or a fleet behind one address. Shared by the engines of all bundles; closed at the end."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._query = _QUERY.replace("{name}", server.bundle)
        self._client: Client | None = None

    async def ask(self, document: object) -> Answer:
        """What OPA says of a document and of its bundle. Raises EngineError (`policy.opa_*`)."""
        try:
            async with asyncio.timeout(self.server.timeout):
                found = await self._twice(document)
        except TimeoutError:
            raise EngineError("policy.opa_slow") from None
        except aiohttp.ClientResponseError as error:
            if error.status < 400:  # noqa: PLR2004 -- no error of HTTP: the body is not JSON
                raise EngineError("policy.opa_nonsense") from None
            raise EngineError("policy.opa_refused", f"status {error.status}") from None
        except (aiohttp.ClientPayloadError, ValueError, RecursionError):
            raise EngineError("policy.opa_nonsense") from None
        except (aiohttp.ClientError, OSError) as error:
            raise EngineError("policy.opa_down", type(error).__name__) from None
        except GatewayError as error:
            raise EngineError("policy.opa_refused", error.code) from None  # its token cannot be read
        return _read(found)

    async def _twice(self, document: object) -> object:
        """A connection that OPA closed while it was idle is found out by using it: then once more."""
        if self._client is None:
            client = await asyncio.to_thread(Client, self.server)  # it reads files
            self._client = await client.__aenter__()
        try:
            return await self._client.ad_hoc_query(self._query, document)
        except (aiohttp.ServerDisconnectedError, ConnectionResetError):
            return await self._client.ad_hoc_query(self._query, document)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close_connection()


class OpaEngine:
    """Decides by one bundle, which OPA must have loaded: the very archive, not one like it."""

    remembers: Final = False
    """OPA is asked each time: an answer of yesterday would hide that it is down, or decides by another bundle today"""

    def __init__(self, opa: Opa, bundle: Bundle) -> None:
        self._opa = opa
        self._bundle = bundle
        self._wasm_sha256 = hashlib.sha256(bundle.wasm).hexdigest()
        self._version = ""

    @property
    def name(self) -> str:
        """Kind and version, as the record names it; without version until it has answered."""
        return f"opa/{self._version}" if self._version else "opa"

    async def evaluate(self, document: bytes) -> bytes:
        """The canonical answer to a document. Raises EngineError."""
        answer = await self._opa.ask(msgspec.json.decode(document))
        self._attest(answer)
        if not answer.decisions:
            raise EngineError("policy.undefined")
        if not _finite(answer.decisions[0]):
            raise EngineError("policy.opa_nonsense", "a number that is none")
        return _ENCODER.encode(answer.decisions[0])

    async def check(self) -> None:
        """Raise EngineError unless OPA is there and has this bundle."""
        self._attest(await self._opa.ask(None))

    def close(self) -> None:
        """Nothing: the connections are shared."""

    def _attest(self, answer: Answer) -> None:
        wanted = self._bundle
        for said, ours in (
            (answer.etags, wanted.sha256),
            (answer.revisions, wanted.revision),
            (answer.modules, self._wasm_sha256),
        ):
            if tuple(_plain(each) for each in said) != (ours,):
                raise EngineError("policy.other_bundle", _named(answer))
        self._version = next((version for version in answer.versions if _is_version(version)), self._version)


def _read(found: object) -> Answer:
    try:
        results = msgspec.convert(found, _Results).result
    except msgspec.ValidationError:
        raise EngineError("policy.opa_nonsense") from None
    if len(results) != 1 or len(results[0].decisions) > 1:
        raise EngineError("policy.opa_nonsense", "not one result")
    return results[0]


def _plain(etag: str) -> str:
    """An ETag without its quotes (RFC 9110, §8.8.3). A weak one stays what it is, and fits nothing."""
    return etag[1:-1] if len(etag) > 1 and etag[0] == etag[-1] == '"' else etag


def _finite(value: Json) -> bool:
    """Python reads NaN and Infinity, which would be written as null: a bound that is none."""
    match value:
        case float():
            return math.isfinite(value)
        case dict():
            return all(map(_finite, value.values()))
        case list():
            return all(map(_finite, value))
    return True


def _named(answer: Answer) -> str:
    """What OPA has instead, for the record."""
    said = next(iter(answer.etags), "")
    plain = _plain(said)
    return f"it has {plain[:12]}" if plain and _is_hex(plain) else "it has none, or one without the archive's sha256"


def _is_hex(text: str) -> bool:
    return _only(text, "0123456789abcdef")


def _is_version(text: str) -> bool:
    return 0 < len(text) < 40 and _only(text, "0123456789abcdefghijklmnopqrstuvwxyz.-+")  # noqa: PLR2004


def _only(text: str, letters: Iterable[str]) -> bool:
    return set(text) <= set(letters)


def _context(server: Server) -> ssl.SSLContext:
    """Whom we believe, and whom we are."""
    context = ssl.create_default_context(cafile=server.ca)
    if server.cert is not None:
        context.load_cert_chain(*server.cert)
    return context
