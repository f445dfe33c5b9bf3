"""Identifiers: UUID version 7 (RFC 9562, §5.7), so that ids sort by time. The only source of randomness."""

import secrets

from gateway.core.clock import Clock

_RANDOM_BITS = 74


def new_id(clock: Clock) -> str:
    """A fresh UUIDv7 as text; 48 bits of milliseconds, 74 random bits."""
    milliseconds = clock.now_ns() // 1_000_000 & (1 << 48) - 1
    random = int.from_bytes(secrets.token_bytes(10), "big") & (1 << _RANDOM_BITS) - 1
    value = milliseconds << 80 | 0x7 << 76 | random >> 62 << 64 | 0b10 << 62 | random & (1 << 62) - 1
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def random_bytes(count: int) -> bytes:
    """`count` bytes fit for keys, salts and cancel secrets."""
    return secrets.token_bytes(count)
