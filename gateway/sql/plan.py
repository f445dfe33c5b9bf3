"""What will be sent in the place of a statement, and what the session must know about it."""

import msgspec

from gateway.core.verdict import Mask
from gateway.sql.edits import Edited, original_position


class CopyOut(msgspec.Struct, frozen=True, kw_only=True):
    """What COPY of a relation TO STDOUT gives: where each field comes from, and its format."""

    places: tuple[tuple[int, int], ...]
    """(relation OID, attnum) of each field"""
    form: str
    """text, csv or binary"""


class Plan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """The rewritten statement. `text` holds the agent's literals: it is sent, never shown or stored."""

    text: str
    source: str
    """what the agent wrote"""
    edited: Edited | None = None
    """None when nothing was changed"""
    masked: tuple[Mask, ...] = ()
    """columns the statement uses that it sees through a mask; sorted"""
    predicates_on_masked: tuple[Mask, ...] = ()
    """those of them used outside the select and RETURNING lists: conditions there see masked values; sorted"""
    expected_raw: frozenset[tuple[int, int]] = frozenset()
    """(table OID, attnum) of protected columns that may arrive as they are; another one in RowDescription is a leak"""
    copy: CopyOut | None = None
    """for COPY of a known relation TO STDOUT; None where the fields come from a query, or the options are not plain"""
    column: str = ""
    """the name its only column goes by, where the server gives it another"""
    governed: bool = False
    """it touches something governed: what the server says about it is not shown"""

    def original_position(self, position: int) -> int | None:
        """The 1-based character of the agent's text for a 1-based one of `text` (field P of ErrorResponse)."""
        if self.edited is None:
            return position if 1 <= position <= len(self.text) + 1 else None
        return original_position(self.edited, self.source, position)

    def __repr__(self) -> str:
        """Neither text."""
        return f"Plan(masked={len(self.masked)}, governed={self.governed})"
