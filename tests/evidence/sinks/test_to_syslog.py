"""A batch is taken when the receiver has ended its side, and over TLS has signed that end."""

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.to_syslog import Syslog, SyslogPlace
from tests.evidence.sinks.leaves import events, every_leaf
from tests.evidence.sinks.servers import authority

pytestmark = pytest.mark.enable_socket
PIECE = 1 << 16
SENT = events("ocsf", every_leaf())
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def messages(data: bytes) -> list[bytes]:
    """The frames, whole ones only."""
    found = []
    while data:
        length, _, rest = data.partition(b" ")
        assert len(rest) >= int(length)
        found.append(rest[: int(length)])
        data = rest[int(length) :]
    return found


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    async def quietly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(quietly, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Reading:
    """Reads to the end, and remembers."""

    def __init__(self) -> None:
        self.data = b""

    async def __call__(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        self.data += await reader.read()


async def sent(url: str, ca: Path | None = None, *, unsigned: bool = False, timeout_s: float = 5) -> Answer:
    return await Syslog(SyslogPlace(url, timeout_s, 13, ca, None, unsigned)).send(SENT)


async def test_every_message_arrives_whole_and_in_order_over_tls(tmp_path: Path) -> None:
    known, server = authority(tmp_path), Reading()
    async with listening(server, known.server) as port:
        assert await sent(f"tls://127.0.0.1:{port}", known.ca) == Taken()
    texts = [each.partition(b"] {")[2] for each in messages(server.data)]
    assert [b"{" + text for text in texts] == [event.payload for event in SENT]


async def test_whoever_cannot_prove_who_they_are_gets_nothing(tmp_path: Path) -> None:
    known, other, server = authority(tmp_path), tmp_path / "other", Reading()
    other.mkdir()
    async with listening(server, known.server) as port:
        assert await sent(f"tls://127.0.0.1:{port}", authority(other).ca) == Later("syslog.certificate")
        assert await sent(f"tls://localhost:{port}", known.ca) == Later("syslog.certificate")
    assert server.data == b""


async def test_an_end_of_tls_that_is_not_signed_is_no_end_unless_that_is_allowed(tmp_path: Path) -> None:
    """Somebody on the way reads our bytes, passes on the handshake, and ends the connection in the receiver's name."""
    known, server = authority(tmp_path), Reading()
    async with listening(server, known.server) as inner:

        async def between(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", inner)
            to_server.write(await reader.read(PIECE))  # ClientHello
            writer.write(await from_server.read(PIECE))  # ServerHello to Finished
            await reader.read()
            to_server.close()

        async with listening(between) as port:
            assert await sent(f"tls://127.0.0.1:{port}", known.ca, timeout_s=0.5) == Later("syslog.TimeoutError")

        async def cutting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", inner)
            to_server.write(await reader.read(PIECE))
            writer.write(await from_server.read(PIECE))
            await writer.drain()
            left = sum(len(event.payload) for event in SENT)
            while left > 0:
                left -= len(await reader.read(PIECE))
            await asyncio.sleep(0.05)  # close_notify, too
            to_server.close()

        async with listening(cutting) as port:
            assert await sent(f"tls://127.0.0.1:{port}", known.ca) == Later("syslog.unsigned_end")
            assert await sent(f"tls://127.0.0.1:{port}", known.ca, unsigned=True) == Taken()
    assert server.data == b""


@contextmanager
def leaving(read: int, context: ssl.SSLContext | None = None, *, signed: bool = True) -> Iterator[int]:
    """A receiver in a thread that reads so many bytes of each connection, then closes; its port."""

    def serve(server: socket.socket) -> None:
        while True:
            try:
                sock, _ = server.accept()
                if context:
                    sock = context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)
                while read and len(sock.recv(read)) == 0:
                    break
                if isinstance(sock, ssl.SSLSocket) and signed:
                    sock.setblocking(False)  # noqa: FBT003 -- the socket module takes it so
                    with suppress(OSError):
                        sock.unwrap()
                sock.close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("read", [0, 2000])
@pytest.mark.parametrize("signed", [False, True])
async def test_a_receiver_that_goes_away_before_it_has_read_everything_has_nothing(
    tmp_path: Path, read: int, *, signed: bool
) -> None:
    known = authority(tmp_path)
    for _ in range(20):
        with leaving(read) as port:
            assert isinstance(await sent(f"tcp://127.0.0.1:{port}"), Later)
        with leaving(read, known.server, signed=signed) as port:
            assert isinstance(await sent(f"tls://127.0.0.1:{port}", known.ca, unsigned=True), Later)


async def test_a_receiver_that_reads_nothing_is_left_after_the_timeout() -> None:
    gate = asyncio.Event()

    async def hang(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        await gate.wait()

    async with listening(hang) as port:
        assert await sent(f"tcp://127.0.0.1:{port}", timeout_s=0.1) == Later("syslog.TimeoutError")
        gate.set()


async def test_plain_tcp_on_this_machine_is_taken_when_it_was_read() -> None:
    server = Reading()
    async with listening(server) as port:
        assert await sent(f"tcp://127.0.0.1:{port}") == Taken()
        assert await Syslog(SyslogPlace(f"tcp://127.0.0.1:{port}", 5, 13)).probe() == Taken()
    assert len(messages(server.data)) == len(SENT)


async def test_datagrams_hold_a_message_each() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        assert await sent(f"udp://127.0.0.1:{sock.getsockname()[1]}") == Taken()
        assert sock.recv(65536).endswith(SENT[0].payload)


async def test_nobody_there_is_for_later(unused_tcp_port: int) -> None:
    assert await sent(f"tcp://127.0.0.1:{unused_tcp_port}") == Later("syslog.ConnectionRefusedError")
    assert await sent("tcp://nowhere.invalid:1") == Later("syslog.gaierror")
    await Syslog(SyslogPlace("tcp://127.0.0.1:1", 1, 13)).close()
