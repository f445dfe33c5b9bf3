"""Identifiers: UUID version 7 (RFC 9562, §5.7), so that ids sort by time. The only source of randomness."""

import secrets
import uuid

from gateway.core.clock import Clock


def new_id(clock: Clock) -> str:
    """A fresh UUIDv7 as text; 48 bits of milliseconds, 74 random bits."""
    milliseconds = clock.now_ns() // 1_000_000 & (1 << 48) - 1
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def random_bytes(count: int) -> bytes:
    """`count` bytes fit for keys, salts and cancel secrets."""
    return secrets.token_bytes(count)
