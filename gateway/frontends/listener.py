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

    `receive` takes care of the socket and does not raise. Without free descriptors we wait for some.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            sock, _ = await loop.sock_accept(listening)
        except ConnectionError:
            continue  # it left while it waited in the backlog
        except OSError:
            await asyncio.sleep(_BREATH_SECONDS)
            continue
        task = loop.create_task(receive(sock))
        running.add(task)
        task.add_done_callback(running.discard)
