"""Taking clients in: whatever they send first, in whatever pieces, they arrive, or are told no in time."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from gateway.frontends.accept import ALPN, Arrival, CancelArrival, ClientStartup, Door, Rejected
from gateway.frontends.certificate import Certificate
from gateway.frontends.listener import bind, serve
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.startup import GSSENC_REQUEST, SSL_REQUEST, cancel_request, startup_message
from tests.support import certificates
from tests.support.certificates import ServerTls

STARTUP = startup_message({"user": "agent", "database": "payments"})
WELCOME = b"".join(
    [server.AUTHENTICATION_OK, server.parameter_status("client_encoding", "UTF8"), server.ready_for_query(b"I")]
)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTls:
    return certificates.issue(tmp_path_factory.mktemp("tls"))


class Threshold:
    """A door behind a port, and who has arrived."""

    def __init__(self, door: Door, port: int) -> None:
        self.door = door
        self.port = port
        self.arrivals: asyncio.Queue[Arrival] = asyncio.Queue()
        self.seen: list[Arrival] = []

    async def receive(self, sock: socket.socket) -> None:
        self.arrivals.put_nowait(await self.door.admit(sock))

    async def next(self) -> Arrival:
        async with asyncio.timeout(5):
            arrival = await self.arrivals.get()
        self.seen.append(arrival)
        return arrival

    async def startup(self) -> ClientStartup:
        arrival = await self.next()
        assert isinstance(arrival, ClientStartup)
        return arrival

    async def refusal(self) -> str:
        arrival = await self.next()
        assert isinstance(arrival, Rejected)
        return arrival.error.code if arrival.error else ""


@asynccontextmanager
async def threshold(door: Door) -> AsyncIterator[Threshold]:
    listening = bind("127.0.0.1", 0)
    here = Threshold(door, listening.getsockname()[1])
    running: set[asyncio.Task[None]] = set()
    accepting = asyncio.ensure_future(serve(listening, here.receive, running))
    try:
        yield here
    finally:
        accepting.cancel()
        for task in running:
            task.cancel()
        await asyncio.gather(accepting, *running, return_exceptions=True)
        for arrival in here.seen:
            if isinstance(arrival, ClientStartup):
                await arrival.stream.close()
        listening.close()
        await asyncio.sleep(0.01)


def door(tls: ServerTls, seconds: float = 5.0) -> Door:
    return Door(Certificate(tls.cert, tls.key, [ALPN]), seconds=seconds)


def client_context(tls: ServerTls, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca))
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


class TlsClient:
    """A TLS client over memory buffers, so that a test decides which bytes travel in which segment."""

    def __init__(self, port: int, tls: ServerTls, *alpn: str) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = client_context(tls, *alpn)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)  # noqa: FBT003 -- the standard library takes it so

    async def talk(self, step: Callable[[], object], before: bytes = b"", size: int = 1 << 20) -> None:
        """Do one TLS step, sending what it makes (`before` in front of it, `size` bytes at a time)."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                step()
                done = True
            except ssl.SSLWantReadError:
                done = False
            data, before = before + self.outgoing.read(), b""
            for at in range(0, len(data), size):
                await loop.sock_sendall(self.sock, data[at : at + size])
            if done:
                return
            answer = await loop.sock_recv(self.sock, 1 << 16)
            if not answer:
                raise ConnectionResetError
            self.incoming.write(answer.removeprefix(b"S") if not self.tls.version() else answer)

    async def close(self) -> None:
        self.sock.close()


@asynccontextmanager
async def plain(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_ssl_request_and_client_hello_in_one_segment_are_understood(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls)
        await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
        await client.talk(lambda: client.tls.write(STARTUP))
        arrival = await here.startup()
        assert (arrival.startup.user, arrival.startup.database) == ("agent", "payments")
        assert (arrival.tls, arrival.peer) == (True, "127.0.0.1")
        await client.close()


@pytest.mark.parametrize("size", [1, 7])
async def test_a_client_that_sends_byte_by_byte_arrives_as_well(tls: ServerTls, size: int) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls)
        await client.talk(client.tls.do_handshake, before=GSSENC_REQUEST[:0] + SSL_REQUEST, size=size)
        await client.talk(lambda: client.tls.write(STARTUP), size=size)
        assert (await here.startup()).tls
        await client.close()


async def test_direct_tls_arrives_with_alpn(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls, "h2", ALPN)
        await client.talk(client.tls.do_handshake)
        assert client.tls.selected_alpn_protocol() == ALPN
        await client.talk(lambda: client.tls.write(STARTUP))
        assert (await here.startup()).tls
        await client.close()


@pytest.mark.parametrize("alpn", [(), ("h2",)])
async def test_direct_tls_without_our_alpn_is_refused(tls: ServerTls, alpn: tuple[str, ...]) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls, *alpn)
        await client.talk(client.tls.do_handshake)
        assert await here.refusal() == "wire.tls"
        await client.close()


async def test_gss_encryption_is_declined_and_tls_may_follow(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(client.sock, GSSENC_REQUEST)
        assert await loop.sock_recv(client.sock, 10) == b"N"
        await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
        await client.talk(lambda: client.tls.write(STARTUP))
        assert (await here.startup()).tls
        await client.close()


@pytest.mark.parametrize("request_", [SSL_REQUEST, GSSENC_REQUEST])
async def test_plaintext_behind_a_request_for_encryption_is_refused(tls: ServerTls, request_: bytes) -> None:
    async with threshold(door(tls)) as here, plain(here.port) as (reader, writer):
        writer.write(request_ + STARTUP)
        assert await here.refusal() == "wire.smuggled"
        assert b"S" not in (await reader.read(1)).replace(b"E", b"")


@pytest.mark.parametrize("request_", [SSL_REQUEST, GSSENC_REQUEST, startup_message({"user": "x"})[:4] + b"\0\1\0\0"])
async def test_inside_tls_only_a_startup_or_a_cancel_is_accepted(tls: ServerTls, request_: bytes) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls, ALPN)
        await client.talk(client.tls.do_handshake)
        await client.talk(lambda: client.tls.write(request_.ljust(int.from_bytes(request_[:4], "big"), b"\0")))
        assert (await here.refusal()).startswith("wire.")
        await client.close()


async def test_asking_twice_for_the_same_encryption_is_refused(tls: ServerTls) -> None:
    async with threshold(Door(None)) as here, plain(here.port) as (reader, writer):
        writer.write(SSL_REQUEST)
        assert await reader.read(1) == b"N"
        writer.write(SSL_REQUEST)
        assert await here.refusal() == "wire.malformed"
    assert tls.cert.exists()


async def test_a_startup_in_plaintext_is_refused_with_28000(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here, plain(here.port) as (reader, writer):
        writer.write(STARTUP)
        assert await here.refusal() == "wire.plaintext"
        said = await reader.read()
        assert b"C28000\0" in said
        assert b"SFATAL\0" in said


async def test_a_startup_in_plaintext_is_taken_from_this_machine_when_the_listener_says_so(tls: ServerTls) -> None:
    allowed = Door(None, insecure_loopback=True)
    async with threshold(allowed) as here, plain(here.port) as (reader, writer):
        writer.write(SSL_REQUEST)
        assert await reader.read(1) == b"N"
        for byte in STARTUP:
            writer.write(bytes((byte,)))
            await writer.drain()
        arrival = await here.startup()
        assert not arrival.tls
        arrival.stream.write(b"hello")
        assert await reader.read(5) == b"hello"
    assert tls.cert.exists()


@pytest.mark.parametrize("size", [4, 32, 256])
async def test_a_cancel_request_arrives_in_plaintext_and_is_hung_up_on_when_done(tls: ServerTls, size: int) -> None:
    async with threshold(door(tls)) as here, plain(here.port) as (reader, writer):
        writer.write(cancel_request(7, b"k" * size))
        arrival = await here.next()
        assert arrival == CancelArrival(7, b"k" * size, "127.0.0.1")
        assert isinstance(arrival, CancelArrival)
        assert here.door.waiting == 1
        arrival.hang_up()
        assert await reader.read() == b""
        assert here.door.waiting == 0


async def test_a_cancel_request_arrives_in_tls(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls)
        await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
        await client.talk(lambda: client.tls.write(cancel_request(7, b"kkkk")))
        arrival = await here.next()
        assert arrival == CancelArrival(7, b"kkkk", "127.0.0.1")
        assert isinstance(arrival, CancelArrival)
        arrival.hang_up()
        await client.close()


@pytest.mark.parametrize("sent", [b"", b"\0", SSL_REQUEST[:7], b"\x16", b"\x16\x03\x01", STARTUP[:-1]])
async def test_a_client_that_stops_half_way_is_hung_up_on_in_time(tls: ServerTls, sent: bytes) -> None:
    async with threshold(door(tls, seconds=0.05)) as here, plain(here.port) as (reader, writer):
        writer.write(sent)
        assert await here.refusal() == "wire.startup_timeout"
        assert here.door.waiting == 0
        assert await _ending(reader) == b""


async def _ending(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_silence_inside_tls_is_hung_up_on_in_time_too(tls: ServerTls) -> None:
    async with threshold(door(tls, seconds=0.3)) as here:
        client = TlsClient(here.port, tls)
        await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
        assert await here.refusal() == "wire.startup_timeout"
        await client.close()


@pytest.mark.parametrize("sent", [b"", b"\0\0", SSL_REQUEST])
async def test_a_client_that_leaves_is_no_failure_of_anyone(tls: ServerTls, sent: bytes) -> None:
    async with threshold(door(tls)) as here:
        async with plain(here.port) as (_, writer):
            writer.write(sent)
        assert await here.refusal() in {"", "wire.tls"}
        await asyncio.sleep(0.01)
        assert here.door.waiting == 0


@pytest.mark.parametrize("sent", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\7", b"\xff" * 64, b"\0\0\0\x09\0\3\0\0\0"])
async def test_what_is_no_first_packet_is_refused_at_once(tls: ServerTls, sent: bytes) -> None:
    async with threshold(door(tls)) as here, plain(here.port) as (_, writer):
        writer.write(sent)
        assert await here.refusal() in {"wire.malformed", "wire.user_missing"}


async def test_a_handshake_that_is_none_is_refused(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here, plain(here.port) as (_, writer):
        writer.write(SSL_REQUEST + b"\x16" + b"no handshake" * 10)
        assert await here.refusal() == "wire.tls"
        assert here.door.waiting == 0


async def test_direct_tls_to_a_door_without_certificate_is_hung_up_on() -> None:
    async with threshold(Door(None, insecure_loopback=True)) as here, plain(here.port) as (_, writer):
        writer.write(b"\x16\x03\x01")
        assert await here.refusal() == ""


async def test_there_is_a_limit_to_those_who_have_not_proved_who_they_are() -> None:
    crowded = Door(None, insecure_loopback=True, unauthenticated_max=1)
    async with threshold(crowded) as here, plain(here.port) as (_, writer):
        writer.write(STARTUP)
        first = await here.startup()
        async with plain(here.port) as (reader, _):
            assert await here.refusal() == "wire.crowded"
            assert await _ending(reader) == b""
        first.slot.release()
        first.slot.release()
        async with plain(here.port) as (_, another):
            another.write(STARTUP)
            await here.startup()
        assert crowded.waiting == 1


async def test_a_slot_is_free_again_when_its_client_is_gone() -> None:
    quiet = Door(None, insecure_loopback=True)
    async with threshold(quiet) as here:
        async with plain(here.port) as (_, writer):
            writer.write(STARTUP)
            arrival = await here.startup()
            assert quiet.waiting == 1
        await arrival.stream.close()
        await asyncio.sleep(0)
        assert quiet.waiting == 0


async def test_a_newer_protocol_is_negotiated_before_anything_else() -> None:
    async with threshold(Door(None, insecure_loopback=True)) as here, plain(here.port) as (reader, writer):
        writer.write(startup_message({"user": "agent"}, minor=9999))
        arrival = await here.startup()
        assert arrival.startup.agreed_minor == 2
        assert await reader.readexactly(13) == b"v\0\0\0\x0c\0\3\0\2\0\0\0\0"


async def test_bytes_behind_the_startup_message_are_not_lost(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        client = TlsClient(here.port, tls)
        await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
        await client.talk(lambda: client.tls.write(STARTUP + b"p\0\0\0\5\0"))
        assert await (await here.startup()).stream.read() == b"p\0\0\0\5\0"
        await client.close()


async def test_an_arrival_shows_neither_key_nor_startup_parameters() -> None:
    shown = repr(CancelArrival(7, b"secret!", "127.0.0.1"))
    assert "secret" not in shown


async def test_psycopg_arrives_over_tls_and_is_let_in(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        conninfo = (
            f"host=127.0.0.1 port={here.port} user=agent dbname=payments sslmode=verify-full sslrootcert={tls.ca}"
        )
        connecting = asyncio.get_running_loop().run_in_executor(None, lambda: psycopg.connect(conninfo))
        arrival = await here.startup()
        arrival.stream.write(WELCOME)
        connection = await connecting
        assert connection.info.encoding == "utf-8"
        connection.close()


async def test_psql_arrives_over_tls_and_says_good_bye(tls: ServerTls) -> None:
    async with threshold(door(tls)) as here:
        conninfo = (
            f"host=127.0.0.1 port={here.port} user=agent dbname=payments sslmode=verify-full sslrootcert={tls.ca}"
        )
        psql = await asyncio.create_subprocess_exec(
            "psql", "-qX", conninfo, "-c", r"\q", stdout=asyncio.subprocess.DEVNULL
        )
        arrival = await here.startup()
        assert arrival.startup.parameters["application_name"] == "psql"
        arrival.stream.write(WELCOME)
        assert await psql.wait() == 0
        assert await arrival.stream.read() == b"X\0\0\0\4"


async def test_a_certificate_that_changed_is_shown_to_the_next_client(tls: ServerTls, tmp_path: Path) -> None:
    now = certificates.issue(tmp_path)
    async with threshold(door(now)) as here:
        for current in (now, certificates.issue(tmp_path)):
            client = TlsClient(here.port, current)
            await client.talk(client.tls.do_handshake, before=SSL_REQUEST)
            await client.talk(lambda c=client: c.tls.write(STARTUP))  # type: ignore[misc]  # binds the loop variable
            await here.startup()
            await client.close()
    assert tls.cert != now.cert
