"""Byte streams no well-behaved peer sends: messages of both sides, mutated, reordered, repeated, cut anywhere.

Everything follows from a seed, so one number brings a failure back.
"""

import random
import struct
from collections.abc import Callable, Iterator, Sequence

from gateway.wire.postgres import server_messages as server
from tests.support import rawpg

TEXTS = (
    "SELECT 1",
    "SELECT 1/0",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "",
    ";",
    "SELECT 1; SELECT 1/0; SELECT 1",
    "SELECT forbidden",
    "SELECT 1; SELECT forbidden",
    "COPY notes FROM STDIN",
    "SELECT 'THREE'",
    "SELECT '",
    "PREPARE a AS SELECT 1",
    "EXECUTE a",
    "DEALLOCATE ALL",
    "/* SELECT 1",
    "SELECT $1",
    "SELECT 'Ω карта'",
)
_NAMES = ("", "a", "b", "Ω", "x" * 63)
_LENGTHS = (0, 1, 3, 4, 5, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 16 * 1024 * 1024 + 1, 65_537)
CARD = b"4111111111111111"
_COLUMN = server.Column(name="n", type_oid=25)


def client_message(rng: random.Random) -> bytes:
    """A whole, valid message of a client that is logged in."""
    text, name, other = rng.choice(TEXTS), rng.choice(_NAMES), rng.choice(_NAMES)
    makers: Sequence[Callable[[], bytes]] = (
        lambda: rawpg.query(text),
        lambda: rawpg.parse(text, name, [23] * rng.randrange(3)),
        lambda: rawpg.bind([None, b"1", CARD][: rng.randrange(4)], name, other),
        lambda: rawpg.describe(rng.choice("SP"), name),
        lambda: rawpg.execute(name, rng.choice((0, 1, 2))),
        lambda: rawpg.close(rng.choice("SP"), name),
        lambda: rawpg.SYNC,
        lambda: rawpg.FLUSH,
        lambda: rawpg.extended(text),
        lambda: rawpg.message("d", rng.choice((b"1\n", b"bad", b"", CARD))),
        lambda: rawpg.message("c"),
        lambda: rawpg.message("f", b"no\0"),
        lambda: rawpg.message("F", struct.pack(">IHHH", 870, 0, 0, 0)),
    )
    return rng.choices(makers, (6, 6, 6, 4, 6, 3, 12, 2, 4, 3, 2, 1, 1))[0]()


def server_message(rng: random.Random) -> bytes:
    """A whole, valid message of a server; it need not be one that may come now."""
    makers: Sequence[Callable[[], bytes]] = (
        lambda: server.data_row([CARD] * rng.randrange(3)),
        lambda: server.row_description([_COLUMN] * rng.randrange(3)),
        lambda: server.command_complete(rng.choice(("SELECT 1", "COPY 1", "", "INSERT 0 x"))),
        lambda: server.ready_for_query(rng.choice((b"I", b"T", b"E"))),
        lambda: server.error_response(severity="ERROR", sqlstate="22012", message="it holds 4111111111111111"),
        lambda: server.notice_response(message="it holds 4111111111111111"),
        lambda: server.parameter_status("TimeZone", "UTC"),
        lambda: server.parameter_description([23] * rng.randrange(3)),
        lambda: rng.choice((server.PARSE_COMPLETE, server.BIND_COMPLETE, server.CLOSE_COMPLETE, server.NO_DATA)),
        lambda: rng.choice((server.PORTAL_SUSPENDED, server.EMPTY_QUERY_RESPONSE, server.COPY_DONE)),
        lambda: server.copy_response(rng.choice((b"G", b"H", b"W")), 0, [0]),
        lambda: rawpg.message("d", CARD),
        lambda: rawpg.message("A", struct.pack(">I", 7) + b"a\0b\0"),
        lambda: rawpg.message("K", struct.pack(">II", 7, 7)),
        lambda: rawpg.message("R", struct.pack(">I", 0)),
    )
    return rng.choice(makers)()


def seeded(seed: int | str) -> random.Random:
    """Reproducible, not secret."""
    return random.Random(seed)  # noqa: S311 -- reproducible on purpose


def mutated(rng: random.Random, message: bytes) -> bytes:
    """The message with one thing wrong: its type, its length, its bytes, its end; or nothing of it left."""
    ways: Sequence[Callable[[], bytes]] = (
        lambda: bytes([rng.randrange(256)]) + message[1:],
        lambda: message[:1] + struct.pack(">I", rng.choice(_LENGTHS)) + message[5:],
        lambda: _flipped(rng, message, 0),
        lambda: message[: rng.randrange(len(message))],
        lambda: message + rng.randbytes(rng.randrange(1, 9)),
        lambda: rng.randbytes(rng.randrange(1, 40)),
        lambda: _reframed(_flipped(rng, message, 5)),
    )
    return rng.choice(ways)()


def content_mutated(rng: random.Random, message: bytes) -> bytes:
    """The frame stays whole, what is in it does not: so the stream goes on behind it."""
    body = _flipped(rng, message, 5)
    match rng.randrange(3):
        case 0:
            body = body[: 5 + rng.randrange(len(body) - 4)]
        case 1:
            body += rng.randbytes(rng.randrange(1, 9))
        case _:
            pass
    return _reframed(body)


def _reframed(message: bytes) -> bytes:
    return message[:1] + struct.pack(">I", len(message) - 1) + message[5:]


def _flipped(rng: random.Random, message: bytes, start: int) -> bytes:
    found = bytearray(message)
    for _ in range(rng.randrange(1, 4)):
        if len(found) > start:
            found[rng.randrange(start, len(found))] = rng.randrange(256)
    return bytes(found)


def stream(
    rng: random.Random, make: Callable[[random.Random], bytes], count: int, *, wrong: float, broken: float
) -> Iterator[bytes]:
    """`count` messages or so: some repeated, shares `wrong` in their content and `broken` in their frame."""
    before = b""
    for _ in range(count):
        message = before if before and rng.random() < 0.05 else make(rng)
        before = message
        draw = rng.random()
        if draw < broken:
            message = mutated(rng, message)
        elif draw < broken + wrong:
            message = content_mutated(rng, message)
        yield message


def pieces(rng: random.Random, data: bytes) -> Iterator[bytes]:
    """The bytes as a network may deliver them: one by one, in small pieces, or in flights."""
    largest = rng.choice((1, 7, 64, 1500, 65_536))
    at = 0
    while at < len(data):
        size = rng.randint(1, largest)
        yield data[at : at + size]
        at += size
