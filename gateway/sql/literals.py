"""A statement's text with its values blanked and every byte in its place: same length, still to be cut into tokens.

For recordings, where what was sent keeps its form: `'…'` becomes `'***'`, 4711 becomes 0000, comments become stars.
"""

import re
from typing import Final

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql import grammar

_T = pb.Token
_NUMBERS: Final = frozenset({_T.ICONST, _T.FCONST})
_BITS: Final = frozenset({_T.BCONST, _T.XCONST})
_STRINGS: Final = frozenset({_T.SCONST, _T.USCONST})
_COMMENTS: Final = frozenset({_T.SQL_COMMENT, _T.C_COMMENT})
_KEPT: Final = b"\r\n"
_WORD: Final = re.compile(rb"[^\x00-\x20]")
_INSIDE: Final = re.compile(rb"[^\r\n]")
_DOLLAR: Final = re.compile(rb"\$[^$]*\$")
_SECRETS: Final = re.compile(
    r"passw|\bpwd\b|secret|token|credential|identified|api_?key|private|://|eyJ[A-Za-z0-9_-]{8,}\.", re.IGNORECASE
)


def may_hold_secret(text: str) -> bool:
    """Whether a text speaks of passwords, tokens or addresses with a user in them: then its values are not kept."""
    return _SECRETS.search(text) is not None


def blank_literals(text: str) -> bytes:
    """The text's UTF-8 bytes, same length, without any value or comment. What is not SQL is all stars."""
    raw = text.encode()
    try:
        tokens = grammar.scan(text, comments=True)
    except Refused:
        return _WORD.sub(b"*", raw)
    out = bytearray(raw)
    for token in tokens:
        blanked = _blanked(token.token, raw[token.start : token.end])
        if blanked is not None:
            out[token.start : token.end] = blanked
    return bytes(out)


def _blanked(kind: int, written: bytes) -> bytes | None:
    """A token of the same length that says nothing; None for one that is no value."""
    if kind in _NUMBERS:
        return b"0" * len(written)
    if kind in _BITS:
        return _between(written, b"0")
    if kind in _STRINGS:
        return _between(written, b"*")
    if kind in _COMMENTS:
        opening, closing = (b"/*", b"*/") if written.startswith(b"/*") else (b"--", b"")
        return opening + _INSIDE.sub(b"*", written[2 : len(written) - len(closing)]).replace(b"*/", b"**") + closing
    return None


def _between(written: bytes, filling: bytes) -> bytes:
    """The token with what stands between its delimiters replaced."""
    dollar = _DOLLAR.match(written)
    if dollar is not None:
        size = dollar.end()
        return dollar[0] + _INSIDE.sub(filling, written[size:-size]) + written[-size:]
    start = written.find(b"'") + 1
    return written[:start] + _INSIDE.sub(filling, written[start:-1]) + written[-1:]
