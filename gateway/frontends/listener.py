"""A listening port: accepts sockets for as long as it runs, and gives each to whoever serves its protocol."""

import asyncio
import socket
from collections.abc import Callable, Coroutine

from gateway.core.errors import Unavailable

BACKLOG = 1024
_BREATH_SECONDS = 0.1


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket; port 0 takes any. `shared` lets several workers bind it. Raises Unavailable."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
    except OSError as error:
        raise Unavailable("listener.address", f"{host}:{port}: {error.strerror}") from None
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
        sock.setblocking(False)  # noqa: FBT003 -- the standard library takes it so
    except OSError as error:
        sock.close()
        raise Unavailable("listener.address", f"{host}:{port}: {error.strerror}") from None
    return sock


async def serve(
    listening: socket.socket,
    receive: Callable[[socket.socket], Coroutine[None, None, None]],
    running: set[asyncio.Task[None]],
) -> None:
    """Accept until cancelled; each client is served in a task of its own, kept in `running` until it ends.

    `receive` takes care of the socket and does not raise.
    """
    accepting = _Accepting(listening, receive, running)
    accepting.begin()
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        accepting.end()


class _Accepting:
    """Takes clients when there are some. It waits for nothing in between, so that none is lost when it is cancelled."""

    def __init__(
        self,
        listening: socket.socket,
        receive: Callable[[socket.socket], Coroutine[None, None, None]],
        running: set[asyncio.Task[None]],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._listening = listening
        self._receive = receive
        self._running = running
        self._breath: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Listen for clients."""
        self._breath = None
        self._loop.add_reader(self._listening, self._accept)

    def end(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._listening)
        if self._breath is not None:
            self._breath.cancel()

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                sock, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # it left while it waited in the backlog
            except OSError:  # no free descriptors: wait for some
                self._loop.remove_reader(self._listening)
                self._breath = self._loop.call_later(_BREATH_SECONDS, self.begin)
                return
            sock.setblocking(False)  # noqa: FBT003 -- the standard library takes it so
            task = self._loop.create_task(self._receive(sock))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
