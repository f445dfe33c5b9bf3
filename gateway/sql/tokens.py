"""The words of a statement without its values: canonical text for policy and the record, made from tokens.

Literals become `?` whatever their form (`'…'`, `E'…'`, `$$…$$`, `B'…'`, `X'…'`, `U&'…'`, numbers), comments go,
identifiers are decoded and folded, keywords are upper case, one space stands between tokens. So no quoting,
comment or case hides a word from a pattern, and no value gets out. What cannot be cut into tokens, or into tokens that
are known here, has no text at all.
"""

import re
from typing import Final

from postgast import pg_query_pb2 as pb

from gateway.core.blanking import clean_words
from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.grammar import Tokens

UNAVAILABLE: Final = "shape_unavailable"
_T = pb.Token
_IDENT, _UIDENT, _AS, _DOT = _T.IDENT, _T.UIDENT, _T.AS, _T.ASCII_46
_FIXED = {
    _T.ICONST: b"1", _T.FCONST: b"1.0", _T.SCONST: b"''", _T.BCONST: b"B''", _T.XCONST: b"X''", _T.USCONST: b"U&''",
}  # fmt: skip
"""each kind of literal, and the one that stands for all of its kind"""
_LITERALS = frozenset(_FIXED)
_SIGNS = frozenset(
    {number for name, number in _T.items() if name.startswith("ASCII_")}
    | {_T.Op, _T.PARAM, _T.TYPECAST, _T.DOT_DOT, _T.COLON_EQUALS, _T.EQUALS_GREATER}
    | {_T.LESS_EQUALS, _T.GREATER_EQUALS, _T.NOT_EQUALS}
)
"""operators, punctuation and `$1`: all that is shown as it was written"""
_SURELY_WORDS = frozenset({pb.RESERVED_KEYWORD, pb.TYPE_FUNC_NAME_KEYWORD})
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
_NAME_BYTES = 63
"""NAMEDATALEN - 1"""
_LOOKED_AT = 1024
"""characters of a name: what begins behind them is never seen by the server"""


def redact(text: str) -> str:
    """The canonical text, or `shape_unavailable`."""
    try:
        tokens = grammar.scan(text)
    except Refused:
        return UNAVAILABLE
    return redact_tokens(text, tokens)


def redact_tokens(text: str, tokens: Tokens) -> str:
    """The same for a text that has been cut already."""
    return canonical(text, tokens)[0]


def canonical(text: str, tokens: Tokens) -> tuple[str, bool]:
    """The same, and whether a card number had to go from it."""
    try:
        shown = " ".join(_words(text.encode(), tokens))
    except ValueError:
        return UNAVAILABLE, True
    # Only a number goes: had the whole text no shape, a card number as an alias would hide it from every pattern.
    clean = clean_words(shown)
    return clean, clean != shown


def fixed(text: str, tokens: Tokens, *, names: bool = True) -> str:
    """The text with the same literal for all of a kind, and names without card numbers: what may be made a digest of.

    `names`: there are such names.

    libpg_query's fingerprint leaves out most literals, but not all: it tells one comment, password or label from
    another, so that with the rest of the statement known a digest of it would give a card number in it away.
    """
    raw = text.encode()
    pieces: list[bytes] = []
    done, behind = 0, 0
    for number, token in enumerate(tokens):
        kind = token.token
        if kind in _LITERALS and behind != _T.UESCAPE:
            pieces += raw[done : token.start], _FIXED[kind]
            done = token.end
        elif names and kind in {_IDENT, _UIDENT}:
            clean = _clean_name(raw[token.start : token.end], _escape(tokens[number + 1 : number + 3], raw)[0])
            pieces += raw[done : token.start], clean
            done = token.end
        behind = kind
    return b"".join([*pieces, raw[done:]]).decode()


def cut_names(text: str, tokens: Tokens) -> dict[str, str]:
    """Names of which the server sees only the beginning, and a card number may have been cut: cut → clean and cut."""
    raw = text.encode()
    found: dict[str, str] = {}
    for number, token in enumerate(tokens):
        if token.token in {_IDENT, _UIDENT} and token.end - token.start > _NAME_BYTES:
            whole = _decoded(raw[token.start : token.end].decode(), _escape(tokens[number + 1 : number + 3], raw)[0])
            begin = whole[:_LOOKED_AT]
            if (clean := clean_words(begin)) != begin:
                found[cut(begin)] = cut(clean)
    return found


def _decoded(written: str, escape: str) -> str:
    """The whole name that an IDENT or UIDENT token stands for."""
    return _unicode(written[2:], escape) if written[:2] in {"U&", "u&"} else _whole(written)


def _clean_name(written: bytes, escape: str) -> bytes:
    """A name as it was written, or quoted and without the card number in it."""
    name = _decoded(written.decode(), escape)[:_LOOKED_AT]
    clean = clean_words(name)
    return written if clean == name else ('"' + clean.replace('"', '""') + '"').encode()


def fold(name: str) -> str:
    """An unquoted identifier as the server stores it: ASCII in lower case, cut to 63 bytes between characters."""
    return cut(_lower(name))


def _lower(name: str) -> str:
    return name.lower() if name.isascii() else re.sub("[A-Z]+", lambda found: found.group().lower(), name)


def cut(name: str) -> str:
    """A name cut to 63 bytes, never inside a character."""
    if len(name) <= _NAME_BYTES // 4:  # a character has four bytes at most
        return name
    raw = name.encode()
    return name if len(raw) <= _NAME_BYTES else raw[:_NAME_BYTES].decode(errors="ignore")


def shown_name(name: str) -> str:
    """An identifier for the canonical text: bare when it could have been written bare in lower case."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


def _words(raw: bytes, tokens: Tokens) -> list[str]:
    words: list[str] = []
    index = 0
    while index < len(tokens):
        token, written = tokens[index], raw[tokens[index].start : tokens[index].end].decode()
        if token.token in _LITERALS:
            words.append("?")
        elif token.token == _UIDENT:
            escape, used = _escape(tokens[index + 1 : index + 3], raw)
            index += used
            words.append(shown_name(_short(_unicode(written[2:], escape))))
        elif token.token == _IDENT:
            words.append(shown_name(_short(_whole(written))))
        elif token.keyword_kind == pb.NO_KEYWORD:
            if token.token not in _SIGNS:
                raise ValueError("a kind of token nobody here knows")
            words.append(written)
        else:
            words.append(_keyword(tokens, index, written))
        index += 1
    return words


def identifier(written: str) -> str:
    """The name an IDENT token stands for."""
    return cut(_whole(written))


def _whole(written: str) -> str:
    """The same before the server cuts it."""
    return written[1:-1].replace('""', '"') if written.startswith('"') else _lower(written)


def _short(name: str) -> str:
    """A name as it is shown, cut. A card number goes first: most of its digits would be left where the cut falls."""
    return name if len(name) <= _NAME_BYTES // 4 or cut(name) == name else cut(clean_words(name[:_LOOKED_AT]))


def _keyword(tokens: Tokens, index: int, written: str) -> str:
    """A keyword in upper case, unless its place makes it a name."""
    token = tokens[index]
    if token.keyword_kind in _SURELY_WORDS and not _beside_dot(tokens, index):
        return written.upper()
    behind_as = index > 0 and tokens[index - 1].token == _AS
    return written.lower() if behind_as or _beside_dot(tokens, index) else written.upper()


def _beside_dot(tokens: Tokens, index: int) -> bool:
    behind = index > 0 and tokens[index - 1].token == _DOT
    return behind or (index + 1 < len(tokens) and tokens[index + 1].token == _DOT)


def _escape(following: Tokens, raw: bytes) -> tuple[str, int]:
    """The escape character of `UESCAPE 'c'`, and how many tokens it took."""
    if [token.token for token in following] == [_T.UESCAPE, _T.SCONST]:
        return raw[following[1].start : following[1].end].decode()[1:-1], 2
    return "\\", 0


def _unicode(quoted: str, escape: str) -> str:
    """Decode `U&"…"` (PostgreSQL 18, §4.1.1)."""
    body, sign = quoted[1:-1].replace('""', '"'), re.escape(escape)
    pattern = rf"{sign}{sign}|{sign}([0-9A-Fa-f]{{4}})|{sign}\+([0-9A-Fa-f]{{6}})"

    def decoded(found: re.Match[str]) -> str:
        digits = found.group(1) or found.group(2)
        return chr(int(digits, 16)) if digits else escape

    return re.sub(pattern, decoded, body).encode("utf-16", "surrogatepass").decode("utf-16")
