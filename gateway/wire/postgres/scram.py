"""SCRAM-SHA-256 from the client's side (RFC 5802, RFC 7677), with or without channel binding (RFC 5929).

The client proves that it knows the password without sending it, and the server proves that it knows it too: nothing is
trusted before `verify` has returned. PostgreSQL ignores the user name in the exchange and takes that of start-up.
"""

import base64
import binascii
import hashlib
import hmac
import re
import stringprep
import unicodedata
from typing import Final

from gateway.core.errors import ProtocolError

MECHANISM: Final = "SCRAM-SHA-256"
MECHANISM_PLUS: Final = "SCRAM-SHA-256-PLUS"
NONCE_BYTES: Final = 18
ITERATIONS_MIN: Final = 4096
"""RFC 7677, §4: fewer make a stolen exchange easy to guess from"""
ITERATIONS_MAX: Final = 600_000
"""about 0.2 s; a server that asks for more keeps us busy"""
_MALFORMED = "upstream.malformed"
_CHALLENGE = re.compile(rb"r=([!-+\--~]+),s=([^,]+),i=([0-9]{1,9})(?:,|\Z)")
"""RFC 5802, §7: server-first-message"""
_BINDING = b"p=tls-server-end-point,,"


class ScramClient:
    """One exchange: `first`, then `final` with the server's answer, then `verify` with its last word.

    `nonce` is fresh randomness. `binding` is the hash of the server's certificate for SCRAM-SHA-256-PLUS; None without.
    `could_bind` says that the server offered no PLUS although we could have bound: it then detects a downgrade.
    """

    def __init__(self, password: str, nonce: bytes, *, binding: bytes | None = None, could_bind: bool = False) -> None:
        self._password = prepare(password).encode()
        self._nonce = base64.b64encode(nonce)
        self._header = _BINDING if binding is not None else (b"y,," if could_bind else b"n,,")
        self._binding = binding or b""
        self._bare = b"n=,r=" + self._nonce
        self._expected = b""

    def __repr__(self) -> str:
        """Never the password."""
        return "ScramClient(…)"

    @property
    def mechanism(self) -> str:
        """The name to send with `first`."""
        return MECHANISM_PLUS if self._header == _BINDING else MECHANISM

    def first(self) -> bytes:
        """The client-first-message."""
        return self._header + self._bare

    def final(self, server_first: bytes) -> bytes:
        """The client-final-message. Raises ProtocolError for a nonce not built on ours or unreasonable iterations."""
        nonce, salt, iterations = _challenge(server_first)
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ProtocolError(_MALFORMED, "SCRAM nonce is not ours")
        without_proof = b"c=" + base64.b64encode(self._header + self._binding) + b",r=" + nonce
        signed = b",".join((self._bare, server_first, without_proof))
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, iterations)
        client_key = _mac(salted, b"Client Key")
        signature = _mac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._expected = _mac(_mac(salted, b"Server Key"), signed)
        return without_proof + b",p=" + base64.b64encode(proof)

    def verify(self, server_final: bytes) -> None:
        """Check the server's signature. Raises ProtocolError unless it knows the password as well."""
        fields = server_final.split(b",")
        if not self._expected or not fields[0].startswith(b"v="):
            raise ProtocolError(_MALFORMED, "SCRAM ends without a signature")
        if not hmac.compare_digest(_decoded(fields[0][2:]), self._expected):
            raise ProtocolError(_MALFORMED, "SCRAM signature of the server is wrong")


def _challenge(server_first: bytes) -> tuple[bytes, bytes, int]:
    """Nonce, salt, iterations. An extension we must understand (`m=`) comes first and is refused by its position."""
    found = _CHALLENGE.match(server_first)
    if found is None:
        raise ProtocolError(_MALFORMED, "SCRAM challenge cannot be read")
    nonce, salt, count = found.groups()
    if not ITERATIONS_MIN <= int(count) <= ITERATIONS_MAX:
        raise ProtocolError(_MALFORMED, "SCRAM iteration count out of bounds")
    return nonce, _decoded(salt), int(count)


def _decoded(data: bytes) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        raise ProtocolError(_MALFORMED, "SCRAM value is not base64") from None


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def prepare(password: str) -> str:
    """SASLprep (RFC 4013). Like PostgreSQL, a password it prohibits is taken as it is."""
    if password.isascii():
        return password
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    prohibited = not normal or any(table(c) for table in _PROHIBITED for c in normal)
    return password if prohibited or _mixes_directions(normal) else normal


def _mixes_directions(value: str) -> bool:
    """RFC 3454, §6."""
    if not any(map(stringprep.in_table_d1, value)):
        return False
    ends = stringprep.in_table_d1(value[0]) and stringprep.in_table_d1(value[-1])
    return not ends or any(map(stringprep.in_table_d2, value))
