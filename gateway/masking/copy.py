"""COPY data on its way out: each CopyData message of the server is one row (PostgreSQL 18, §54.2.6), scanned alone.

Text and CSV rows are scanned as text; of text rows, exempt columns are left alone (fields are apart by a byte that
never stands inside one). Binary rows are taken apart like a DataRow, after the header of the first message.
"""

import struct
from enum import Enum
from typing import Final

from gateway.core.cards import may_hold_card_number
from gateway.masking.detect import blank, blank_row

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00"
_EXTENSION: Final = struct.Struct("!iI")


class CopyForm(Enum):
    """The formats of COPY … TO."""

    TEXT = "text"
    CSV = "csv"
    BINARY = "binary"


class CopyScanner:
    """Scans the CopyData messages of one COPY. `found` counts the card numbers, `columns` those of known columns."""

    def __init__(
        self, form: CopyForm = CopyForm.TEXT, exempt: frozenset[int] = frozenset(), delimiter: bytes = b"\t"
    ) -> None:
        self.found = 0
        self.columns: dict[int, int] = {}
        self._form = form
        self._exempt = exempt
        self._delimiter = delimiter

    def feed(self, payload: bytes) -> bytes:
        """The payload of one CopyData message, same length, without card numbers."""
        if not may_hold_card_number(payload):
            return payload
        if self._form is CopyForm.BINARY:
            return self._binary(payload)
        if self._form is CopyForm.TEXT and self._exempt:
            fields = payload.split(self._delimiter)
            return self._delimiter.join(self._field(index, field) for index, field in enumerate(fields))
        return self._text(payload)

    def _text(self, payload: bytes) -> bytes:
        shown, found = blank(payload)
        self.found += found
        return shown

    def _field(self, index: int, field: bytes) -> bytes:
        if index in self._exempt:
            return field
        shown, found = blank(field)
        self._count({index: found} if found else {})
        return shown

    def _binary(self, payload: bytes) -> bytes:
        header = _header_length(payload)
        row, hits = blank_row(payload[header:], self._exempt)
        self._count(hits)
        return payload[:header] + row

    def _count(self, hits: dict[int, int]) -> None:
        for index, found in hits.items():
            self.found += found
            self.columns[index] = self.columns.get(index, 0) + found


def _header_length(payload: bytes) -> int:
    """How long the file header at the start of binary COPY is; 0 for messages after the first."""
    if not payload.startswith(_SIGNATURE) or len(payload) < len(_SIGNATURE) + _EXTENSION.size:
        return 0
    _, extension = _EXTENSION.unpack_from(payload, len(_SIGNATURE))
    return min(len(payload), len(_SIGNATURE) + _EXTENSION.size + int(extension))
