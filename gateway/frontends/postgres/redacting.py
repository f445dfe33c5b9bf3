"""What a PostgreSQL client sent and was shown, as a recording may keep it: same length, still to be cut into messages.

Card numbers go from everything, from texts and parameters in every form that is known. Values (literals in texts,
parameters, COPY data) stay, unless the statement names a labelled column, was not understood, or speaks of passwords or
tokens. Passwords are never kept. Looking for every form takes 0.3 s a MB, so of what is long nothing is kept.
"""

import re
from typing import Final

from gateway.core.blanking import clean_bytes
from gateway.core.cards import may_hold_card_number
from gateway.core.errors import ProtocolError
from gateway.core.statement import Statement
from gateway.masking.detect import blank, blank_row
from gateway.masking.fields import Reading, field_spans
from gateway.sql.literals import blank_literals, may_hold_secret
from gateway.wire.postgres.fields import INT32, Fields
from gateway.wire.postgres.frames import HEADER, DataRun, Frame

BINARY: Final = 1
SHORTEST: Final = 6
"""bytes of twelve digits as packed decimal: what is shorter holds no card number"""
LONG: Final = 64 * 1024
"""bytes of a text or of a parameter that are looked through"""
COPY_LONG: Final = 256 * 1024
"""bytes of the data of one COPY that are looked through"""
NAME: Final = 12
"""bytes of a name that could be a card number"""
TAIL: Final = 256
"""bytes of COPY data that are looked at again with what comes next: more than any form of one card number takes"""
_TOKEN: Final = re.compile(rb"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)+")
_WORD: Final = re.compile(rb"[^\x00-\x20]")
_FRONT: Final = HEADER.size
_WITHOUT_VALUES: Final = frozenset(b"SXHDECc")
"""Sync Terminate Flush Describe Execute Close CopyDone: names and numbers only"""


def keeps_values(statement: Statement) -> bool:
    """Whether what stands in a statement may be kept: it is understood, and touches nothing that is labelled."""
    if statement.hazards or any(column.labels for column in statement.columns):
        return False
    return not any(relation.labels and "write" in relation.access for relation in statement.relations)


def redact(frame: Frame, *, values: bool) -> bytes:
    """One message of a client. `values`: those in it may be kept."""
    try:
        match frame.kind:
            case b"Q":
                return _query(frame.raw, values=values)
            case b"P":
                return _parse(frame.raw, values=values)
            case b"B":
                return _bind(frame.raw, values=values)
    except ProtocolError:
        return _nothing(frame.raw)
    if frame.kind == b"f" or frame.kind[0] in _WITHOUT_VALUES:
        return frame.raw if len(frame.raw) < _FRONT + NAME else frame.raw[:_FRONT] + clean_bytes(frame.raw[_FRONT:])
    return _nothing(frame.raw)


def _nothing(raw: bytes) -> bytes:
    """A message nobody can read, a password, a call by number: only its kind and length."""
    return raw[:_FRONT] + bytes(len(raw) - _FRONT)


def _query(raw: bytes, *, values: bool) -> bytes:
    fields = Fields(raw)
    text = fields.string()
    fields.end()
    return raw[:_FRONT] + _text(text, values=values) + b"\0"


def _parse(raw: bytes, *, values: bool) -> bytes:
    fields = Fields(raw)
    name, text, rest = fields.string_bytes(), fields.string(), fields.rest()
    return b"".join((raw[:_FRONT], clean_bytes(name), b"\0", _text(text, values=values), b"\0", rest))


def _text(text: str, *, values: bool) -> bytes:
    if len(text) > LONG:
        return _WORD.sub(b"*", text.encode())
    kept = text.encode() if values and not may_hold_secret(text) else blank_literals(text)
    return clean_bytes(kept)


def _bind(raw: bytes, *, values: bool) -> bytes:
    """The names, formats and lengths as they are; the values by their formats."""
    fields = Fields(raw)
    names = len(fields.string_bytes()) + len(fields.string_bytes()) + 2
    formats = fields.numbers("H")
    found = fields.values()
    fields.numbers("H")
    fields.end()
    out = bytearray(raw)
    at = _FRONT + names + 2 + 2 * len(formats) + 2
    for index, value in enumerate(found):
        at += 4
        if value is not None:
            form = formats[index if len(formats) > 1 else 0] if index < len(formats) or len(formats) == 1 else 0
            out[at : at + len(value)] = _value(value, binary=form == BINARY, kept=values)
            at += len(value)
    if names > NAME:
        out[_FRONT : _FRONT + names] = clean_bytes(raw[_FRONT : _FRONT + names])
    return bytes(out)


def _value(value: bytes, *, binary: bool, kept: bool) -> bytes:
    if not kept or len(value) > LONG:
        return bytes(len(value)) if binary else b"*" * len(value)
    if len(value) < SHORTEST:
        return value
    shown = clean_bytes(value)
    if binary:  # a number's bytes are told by the length in front of them
        shown = clean_bytes(INT32.pack(len(value)) + shown)[INT32.size :]
    return _TOKEN.sub(lambda found: b"*" * len(found[0]), shown) if b"eyJ" in shown else shown


class CopyIn:
    """COPY data from a client. A message is kept when it is known what follows it: a number may begin in one.

    A client may send a byte a message; so the last messages that carry `TAIL` bytes together are held.
    """

    def __init__(self, *, values: bool) -> None:
        self._left = COPY_LONG if values else 0
        self._held = b""

    def feed(self, run: DataRun) -> bytes:
        """What may be kept now; the rest is held until the next call."""
        self._left -= len(run.raw)
        if self._left < 0:
            return without_content(self.end() + run.raw)  # a number may begin in what was held
        held, raw = _across(self._held, run.raw)
        whole = held + raw
        cut = _settled(_payload_spans(whole))
        self._held = whole[cut:]
        return whole[:cut]

    def end(self) -> bytes:
        """What was held."""
        held, self._held = self._held, b""
        return held


def without_content(raw: bytes) -> bytes:
    """Messages of which only kind and length are left."""
    out = bytearray(raw)
    for start, stop in _payload_spans(raw):
        out[start:stop] = bytes(stop - start)
    return bytes(out)


def _across(held: bytes, raw: bytes) -> tuple[bytes, bytes]:
    """Two runs of messages with the card numbers blanked that stand in the second, or across the two."""
    tail, spans = _payload_spans(held), _payload_spans(raw)
    joined = b"".join([held[a:b] for a, b in tail])[-TAIL:]
    border = len(joined)
    text = joined + b"".join([raw[a:b] for a, b in spans])
    shown = clean_bytes(text)
    if shown == text:
        return held, raw
    return _put_back(held, tail, shown[:border]), _put_back(raw, spans, shown[border:])


def _settled(spans: list[tuple[int, int]]) -> int:
    """Where the messages begin that must be held."""
    left = TAIL
    for start, stop in reversed(spans):
        left -= stop - start
        if left <= 0:
            return start - _FRONT
    return 0


def _payload_spans(raw: bytes) -> list[tuple[int, int]]:
    spans, at = [], 0
    while at < len(raw):
        stop = at + 1 + HEADER.unpack_from(raw, at)[1]
        spans.append((at + _FRONT, stop))
        at = stop
    return spans


def _put_back(raw: bytes, spans: list[tuple[int, int]], text: bytes) -> bytes:
    """The last bytes of the payloads replaced, from the end on."""
    out, left = bytearray(raw), len(text)
    for start, stop in reversed(spans):
        size = min(stop - start, left)
        out[stop - size : stop] = text[left - size : left]
        left -= size
    return bytes(out)


_WORDS: Final = frozenset(b"AENS")
"""NotificationResponse, ErrorResponse, NoticeResponse, ParameterStatus: few, and full of what the agent wrote"""
_TITLES: Final = ord("T")
"""RowDescription: the agent names columns as it likes"""
_BEHIND_TITLE: Final = 18
"""bytes of a column behind its name"""
_NAMED: Final = b"application_name\0"
"""in a ParameterStatus, which comes behind the end of the statement that set it"""
_LOOKED_INTO: Final = _WORDS | frozenset((ord("R"), _TITLES))


def blank_shown(data: bytes) -> bytes:
    """Whole messages of the gateway's to the client, without card numbers and without the key that cancels."""
    messages, at = list[tuple[int, int, int]](), 0
    while at < len(data):
        kind, length = HEADER.unpack_from(data, at)
        messages.append((kind, at + _FRONT, at + 1 + length))
        at += 1 + length
    looked_into = any(kind in _LOOKED_INTO for kind, _, _ in messages)
    if not looked_into and _NAMED not in data and not may_hold_card_number(data):
        return data
    out = bytearray(data)
    for kind, start, at in messages:
        payload = data[start:at]
        if kind == ord("K"):
            out[start + 4 : at] = bytes(max(len(payload) - 4, 0))
        elif kind == ord("D"):
            out[start:at] = blank_row(payload)[0]
        elif kind in _WORDS:
            out[start:at] = clean_bytes(payload)
        elif kind == _TITLES:
            out[start:at] = _titles(payload)
        else:
            out[start:at] = blank(payload)[0]
    return bytes(out)


def _titles(payload: bytes) -> bytes:
    """A RowDescription without card numbers in its names."""
    at, out = 2, payload
    while (end := payload.find(b"\0", at)) >= 0:
        if end - at >= NAME and (name := clean_bytes(payload[at:end])) != payload[at:end]:
            out = out[:at] + name + out[end:]
        at = end + 1 + _BEHIND_TITLE
    return out


def blank_exempt(data: bytes, how: tuple[Reading, ...], unread: frozenset[int]) -> bytes:
    """Rows of which the net left columns alone, for an agent that may see them: in a recording it does not.

    `unread` are those among them that come in binary: of their values nothing is kept.
    """
    out = bytearray(data)
    for start, stop in _payload_spans(data):
        payload = data[start:stop]
        row = bytearray(blank_row(payload, frozenset(), how)[0])
        for index, (begin, end) in enumerate(field_spans(payload) or []):
            if index in unread:
                row[begin:end] = bytes(end - begin)
        out[start:stop] = row
    return bytes(out)
