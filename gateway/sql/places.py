"""Where things stand in the text: libpg_query gives the first byte of a name, its scanner gives the rest."""

import bisect

from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.grammar import Tokens
from gateway.sql.model import Span

_T = pb.Token


class Places:
    """The tokens of one text, comments left out, by position."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self._starts = [token.start for token in self.tokens]

    def at(self, offset: int) -> int:
        """Index of the token that starts at a byte offset. Raises Refused when none does."""
        index = bisect.bisect_left(self._starts, offset)
        if index == len(self._starts) or self._starts[index] != offset:
            raise Refused("statement.unanalysable", "a name does not stand where the parser says")
        return index

    def relation(self, offset: int, *, only: bool) -> Span:
        """`a.b.c`, with `ONLY` and its parentheses, `UESCAPE` and a trailing `*`."""
        first = last = self.at(offset)
        last = self._name_end(last)
        if only:
            first, last = self._with_only(first, last)
        elif self._is(last + 1, _T.ASCII_42):
            last += 1
        return Span(self.tokens[first].start, self.tokens[last].end)

    def parts(self, offset: int) -> list[Span]:
        """The places of each part of a dotted name, `UESCAPE` included; a trailing `*` counts as a part."""
        first = self.at(offset)
        found = []
        while True:
            last = self._part_end(first)
            found.append(Span(self.tokens[first].start, self.tokens[last].end))
            if not self._is(last + 1, _T.ASCII_46):
                return found
            first = last + 2

    def sample(self, offset: int) -> Span:
        """`TABLESAMPLE method (…) [REPEATABLE (…)]`; `offset` is that of the method's name or of TABLESAMPLE."""
        index = self.at(offset)
        first = index if self._is(index, _T.TABLESAMPLE) else index - 1
        last = self.closing(self._name_end(first + 1) + 1)
        if self._is(last + 1, _T.REPEATABLE):
            last = self.closing(last + 2)
        return Span(self.tokens[first].start, self.tokens[last].end)

    def _name_end(self, index: int) -> int:
        index = self._part_end(index)
        while self._is(index + 1, _T.ASCII_46):
            index = self._part_end(index + 2)
        return index

    def _part_end(self, index: int) -> int:
        return index + 2 if self._is(index + 1, _T.UESCAPE) else index

    def _with_only(self, first: int, last: int) -> tuple[int, int]:
        if self._is(first - 1, _T.ONLY):
            return first - 1, last
        if self._is(first - 1, _T.ASCII_40) and self._is(first - 2, _T.ONLY) and self._is(last + 1, _T.ASCII_41):
            return first - 2, last + 1
        raise Refused("statement.unanalysable", "ONLY does not stand where it should")

    def closing(self, index: int) -> int:
        """The parenthesis that closes the one at `index`."""
        depth = 0
        for at in range(index, len(self.tokens)):
            depth += self._is(at, _T.ASCII_40) - self._is(at, _T.ASCII_41)
            if depth == 0:
                return at
        raise Refused("statement.unanalysable", "a parenthesis is not closed")

    def _is(self, index: int, token: int) -> bool:
        return 0 <= index < len(self.tokens) and self.tokens[index].token == token
