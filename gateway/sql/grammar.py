"""The one door to libpg_query: what it would choke on is refused before it is handed over.

libpg_query cuts a text at NUL, and its C code recurses once a level of the tree: a chain of 40,000 operators ends the
whole process. So the depth a text can have is bounded by its tokens first, and only then is it parsed.
"""

import importlib
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

import postgast
from google.protobuf.message import DecodeError, Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused

TEXT_MAX: Final = 1 << 20
"""bytes; a longer text is not read"""
DEPTH_MAX: Final = 400
"""levels of operators, joins, set operations and parentheses"""

Tokens: TypeAlias = Sequence[pb.ScanToken]

_T = pb.Token
_COMMENTS: Final = frozenset({_T.SQL_COMMENT, _T.C_COMMENT})
_OPENING: Final = frozenset({_T.ASCII_40, _T.ASCII_91, _T.CASE})
_CLOSING: Final = frozenset({_T.ASCII_41, _T.ASCII_93, _T.END_P})
_BESIDE: Final = frozenset({_T.ASCII_44, _T.AND, _T.OR, _T.WHEN, _T.THEN, _T.ELSE})
"""What stands on both sides of these becomes a flat list"""
_SEMICOLON: Final = _T.ASCII_59
_CHAINED: Final = frozenset({_T.UNION, _T.INTERSECT, _T.EXCEPT, _T.JOIN})
"""These nest to the left, whatever lists stand between them"""
_FLAT: Final = frozenset(
    {_T.IDENT, _T.UIDENT, _T.ICONST, _T.FCONST, _T.SCONST, _T.USCONST, _T.BCONST, _T.XCONST, _T.PARAM}
    | {
        _T.ASCII_46,
        _T.AS,
        _T.ON,
        _T.LEFT,
        _T.INNER_P,
        _T.ALL,
        _T.SELECT,
        _T.WHERE,
        _T.FROM,
        _T.NULL_P,
        _T.SET,
        _T.VALUES,
    }
)
"""Tokens that never nest one thing in another"""


def _lift_decoder_limit() -> None:
    """Let protobuf decode trees deeper than 100 levels, which 50 chained operators are.

    The switch stands in a module without a public name. Where it is missing such statements are refused.
    """
    try:
        module = importlib.import_module("google._upb._message")
        module.SetAllowOversizeProtos(True)  # noqa: FBT003 -- its only argument, by position only
    except (ImportError, AttributeError):
        return


_lift_decoder_limit()


def scan(text: str, *, comments: bool = False) -> list[pb.ScanToken]:
    """The tokens of a text, without comments unless asked; positions are UTF-8 bytes. Raises Refused."""
    _check_bytes(text)
    try:
        return [token for token in postgast.scan(text).tokens if comments or token.token not in _COMMENTS]
    except (postgast.PgQueryError, DecodeError, ValueError) as error:
        raise _unreadable(error) from None


def parse(text: str, tokens: Tokens) -> Sequence[pb.RawStmt]:
    """The statements of a text that `scan` has cut. Raises Refused; its detail has a position, never the text."""
    if len(tokens) > DEPTH_MAX and _too_deep(tokens):
        raise Refused("statement.too_deep")
    try:
        return postgast.parse(text).stmts
    except (postgast.PgQueryError, DecodeError, ValueError) as error:
        raise _unreadable(error) from None


def read(text: str) -> Sequence[pb.RawStmt]:
    """The statements of a text nobody has cut yet. Raises Refused."""
    return parse(text, scan(text))


def deparse(statement: Message) -> str:
    """A statement that was parsed, as libpg_query writes it itself; empty where it cannot."""
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(statement).__name__).lower()
    try:
        tree = pb.ParseResult(stmts=[pb.RawStmt(stmt=pb.Node(**{kind: statement}))])
        return postgast.deparse(tree)
    except (postgast.PgQueryError, DecodeError, ValueError):
        return ""


def fingerprint(text: str) -> str:
    """libpg_query's fingerprint, 16 hex digits; empty when it has none. Call it on parsed text only."""
    try:
        return postgast.fingerprint(text).hex
    except (postgast.PgQueryError, DecodeError, ValueError):
        return ""


def _check_bytes(text: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise Refused("statement.unanalysable", "not Unicode text") from None
    if size > TEXT_MAX:
        raise Refused("statement.too_long")
    if "\0" in text:
        raise Refused("statement.unanalysable", "a NUL character")


def _unreadable(error: Exception) -> Refused:
    """The parser quotes the text in its messages: only the place is kept."""
    place = getattr(error, "cursorpos", 0)
    return Refused("statement.unanalysable", f"at character {place}" if place else "")


def _too_deep(tokens: Tokens) -> bool:
    """Whether the tree could be much deeper than `DEPTH_MAX`: every token that may nest counts for one level.

    Chains grow to the left, so an operand adds to what follows it; prefixes grow to the right, so they add to what
    they enclose. Each of the two is bounded by itself, the whole by their sum.
    """
    outer: list[tuple[int, int, int]] = []
    here = best = chain = above = 0
    for token in tokens:
        kind = token.token
        if kind in _FLAT:
            continue
        if kind in _OPENING:
            outer.append((here, best, chain))
            above += here + chain + 1
            here = best = chain = 0
        elif kind in _CLOSING and outer:
            inner = max(here, best) + chain
            here, best, chain = outer.pop()
            above -= here + chain + 1
            here = max(here, inner) + 1
        elif kind in _BESIDE:
            here, best = 0, max(here, best)
        elif kind == _SEMICOLON and not outer:
            here = best = chain = above = 0
        elif kind in _CHAINED:
            chain += 1
        else:
            here += 1
        if max(here, best) + chain + above > DEPTH_MAX:
            return True
    return False
