"""One decided statement on its way through the server: what was ruled, and what has been seen of its answer so far."""

from dataclasses import dataclass, field
from enum import Enum

from gateway.session.registry import Change, Portal
from gateway.session.ruling import Ruling
from gateway.session.shape import Shape


class Phase(Enum):
    """Which message carries the statement to the server."""

    QUERY = "query"
    PARSE = "parse"
    EXECUTE = "execute"


class Settled(Enum):
    """How a statement or a message ended."""

    DONE = "done"
    SUSPENDED = "suspended"
    FAILED = "failed"
    SKIPPED = "skipped"
    LOST = "lost"
    """the connection went away before the server answered"""


@dataclass(slots=True, eq=False)
class Task:
    """A statement that was recorded and sent."""

    ruling: Ruling
    phase: Phase
    started_ns: int
    """monotonic"""
    shape: Shape | None = None
    """the result as the server described it; None before that"""
    rows: int = 0
    bytes: int = 0
    blanked: int = 0
    tag: str = ""
    error: str = ""
    """SQLSTATE the server gave, or the code we stopped it with"""
    row_limit: int | None = None
    byte_limit: int | None = None
    over: str = ""
    """code of the limit that was crossed; its rows are no longer shown"""
    changes: list[Change] = field(default_factory=list)
    """names this statement gives or takes, followed once it is done"""
    portal: Portal | None = None
    columns: dict[int, int] = field(default_factory=dict)
    """index of a result column → card numbers blanked in it"""

    @property
    def governed(self) -> bool:
        """The statement touches something governed."""
        plan = self.ruling.plan
        return self.ruling.understood.governed or (plan is not None and plan.governed)
