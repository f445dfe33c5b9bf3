"""The agent's application_name as the server has it, followed through transactions, to report it as the server would.

The server keeps it under a name of ours, of which it reports nothing. Settings made in a transaction are undone with
it, those made behind a savepoint with that one; SET LOCAL ends with the transaction anyhow (PostgreSQL 18, §20.1.3).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.sql.application import Move, Passed, Point, Set


class Values(NamedTuple):
    """The value that is seen, and the one that stays when the transaction commits."""

    seen: str
    kept: str


@dataclass(slots=True)
class Application:
    """One session's name. `began` is that of its startup message, to which RESET goes back."""

    began: str
    told: str = field(init=False)
    """what the client was last told"""
    _values: Values = field(init=False)
    _before: str = field(init=False)
    """outside of the transaction"""
    _saved: list[tuple[str, Values]] = field(default_factory=list)
    _failed: bool = False

    def __post_init__(self) -> None:
        """Begin with the startup message's."""
        self.told = self._before = self.began
        self._values = Values(self.began, self.began)

    def follow(self, move: Move) -> None:
        """A statement that is done."""
        match move:
            case Set(value, local):
                new = self.began if value is None else value
                self._values = Values(new, self._values.kept if local else new)
            case Passed(point, name):
                self._pass(point, name)

    def fail(self) -> None:
        """An error of the server: what was set since the last savepoint is undone."""
        self._failed = True
        self._values = self._saved[-1][1] if self._saved else Values(self._before, self._before)

    def rest(self, *, idle: bool) -> str | None:
        """The server is ready. The value, when it is another than the client was told."""
        if idle:
            self._end(kept=not self._failed)
        if self._values.seen == self.told:
            return None
        self.told = self._values.seen
        return self.told

    def _pass(self, point: Point, name: str) -> None:
        match point:
            case Point.SAVE:
                self._saved.append((name, self._values))
            case Point.BACK:
                self._failed = False
                if (at := self._find(name)) is not None:
                    self._values = self._saved[at][1]
                    del self._saved[at + 1 :]
            case Point.RELEASE:
                if (at := self._find(name)) is not None:
                    del self._saved[at:]
            case Point.COMMIT:
                self._end(kept=True)
            case Point.ROLLBACK:
                self._end(kept=False)

    def _find(self, name: str) -> int | None:
        return next((n for n in range(len(self._saved) - 1, -1, -1) if self._saved[n][0] == name), None)

    def _end(self, *, kept: bool) -> None:
        self._before = self._values.kept if kept else self._before
        self._values = Values(self._before, self._before)
        self._saved.clear()
        self._failed = False
