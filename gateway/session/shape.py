"""The result of a statement as the server described it: what the card scan has to know of each column."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """One entry for each column, in order."""

    exempt: frozenset[int] = frozenset()
    """indexes of columns the card scan leaves alone"""
    types: tuple[int, ...] = ()
    """type OIDs"""
    formats: tuple[int, ...] = ()
    """0 text, 1 binary, as described; a Describe of a statement always says text"""
    described: bytes = b""
    """the RowDescription itself"""

    def columns(self, asked: Sequence[int] | None = None) -> tuple[tuple[int, int], ...]:
        """Type and format of each column. `asked` are the formats of a Bind: none, one for all, or one for each."""
        formats = self.formats if asked is None else tuple(asked)
        if len(formats) < 2:  # noqa: PLR2004 -- none means text, one is for all
            formats = (formats or (0,)) * len(self.types)
        return tuple(zip(self.types, formats, strict=False))
