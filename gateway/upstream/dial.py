"""From a target to a byte stream: resolve, connect, ask for TLS, shake hands. Nothing of PostgreSQL but SSLRequest.

The answer to SSLRequest is read from the bare socket. Whatever came behind it was written by someone who is not in the
TLS session, so the connection is refused (CVE-2021-23222).
"""

import asyncio
import os
import socket
import ssl
from typing import TypeAlias

from gateway.core.errors import Unavailable
from gateway.upstream.stream import Stream, tune
from gateway.upstream.target import Target
from gateway.wire.postgres.startup import SSL_REQUEST

_Address: TypeAlias = str | tuple[str | int | bytes, ...]


async def dial(target: Target, *, encrypted: bool = True) -> Stream:
    """Connect. `encrypted` False leaves TLS out (cancel requests to old servers do). Raises Unavailable."""
    context = target.tls_context() if encrypted else None
    sock = await _connected(target)
    try:
        if context is not None:
            await _ask_for_tls(sock)
        return await _stream(target, sock, context)
    except BaseException:
        sock.close()
        raise


async def _connected(target: Target) -> socket.socket:
    """Try every address of the host in order."""
    loop = asyncio.get_running_loop()
    failure = "no address"
    for family, address in await _addresses(target):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            tune(sock)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = os.strerror(error.errno) if error.errno else type(error).__name__
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise Unavailable("upstream.unreachable", failure)


async def _addresses(target: Target) -> list[tuple[socket.AddressFamily, _Address]]:
    if target.unix_socket:
        return [(socket.AF_UNIX, target.unix_socket)]
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Unavailable("upstream.unreachable", "the host name has no address") from None
    return [(family, address) for family, _, _, _, address in found]


async def _ask_for_tls(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, SSL_REQUEST)
        answer = await loop.sock_recv(sock, 64)
    except OSError as error:
        raise Unavailable("upstream.lost", error.strerror or "") from None
    if answer == b"N":
        raise Unavailable("upstream.tls", "the server does not speak TLS")
    if answer != b"S":
        raise Unavailable("upstream.tls", "the server answered something else")


async def _stream(target: Target, sock: socket.socket, context: ssl.SSLContext | None) -> Stream:
    loop = asyncio.get_running_loop()
    try:
        _, stream = await loop.create_connection(
            Stream, sock=sock, ssl=context, server_hostname=target.host if context else None
        )
    except ssl.SSLCertVerificationError as error:
        raise Unavailable("upstream.tls", error.verify_message) from None
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Unavailable("upstream.tls" if context else "upstream.lost", type(error).__name__) from None
    return stream
