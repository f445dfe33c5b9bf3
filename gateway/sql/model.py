"""What the readers hand on: a statement's references with their places in the text, and what it does to its session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import msgspec
from google.protobuf.message import Message

from gateway.core.site import Posture
from gateway.core.statement import Statement
from gateway.sql.grammar import Tokens
from gateway.sql.objects import RelationInfo


class Span(NamedTuple):
    """UTF-8 byte offsets in the text of the message; `stop` is the first byte behind."""

    start: int
    stop: int


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a relation is named as a source or a target of rows."""

    node: Message
    """the RangeVar"""
    name: Span
    """the name with ONLY, parentheses and a trailing `*`; never the alias"""
    oid: int | None
    """of the resolved relation; None when the snapshot does not know it"""
    written: tuple[str, ...]
    """name parts as folded by the server"""
    alias: str = ""
    has_alias: bool = False
    column_aliases: tuple[str, ...] = ()
    only: bool = False
    sample: Span | None = None
    """a TABLESAMPLE clause behind the alias"""
    role: str = "from"
    """from target table copy ddl"""
    level: int = 0
    """id of the query level it stands in"""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One column reference as written."""

    node: Message
    parts: tuple[str, ...]
    """folded; a trailing `*` is `Star`"""
    level: int
    clause: str
    start: int
    """byte offset"""


@dataclass(slots=True)
class Entry:
    """One name in a FROM clause. `relation` is None for anything derived."""

    name: str
    relation: RelationInfo | None = None
    renamed: tuple[str, ...] = ()
    schema: str = ""
    members: tuple["Entry", ...] = ()
    """of the alias of a join: what is joined"""

    def everything(self) -> "Iterator[tuple[Entry, str]]":
        """Every column of a relation behind it, with the entry it belongs to."""
        if self.relation is not None:
            yield from ((self, column.name) for column in self.relation.columns)
        for member in self.members:
            yield from member.everything()

    def named(self, name: str) -> "Iterator[tuple[Entry, str]]":
        """Every column that a visible name may stand for. The list behind the alias of a join renames by position.

        Which position is which column is not counted out: with such a list a name may be any of them.
        """
        if self.relation is not None:
            own = [column.name for column in self.relation.columns]
            visible = [*self.renamed[: len(own)], *own[len(self.renamed) :]]
            if name in visible:
                yield self, own[visible.index(name)]
        if self.members and self.renamed:
            yield from self.everything()
            return
        for member in self.members:
            yield from member.named(name)


@dataclass(slots=True)
class Level:
    """One query level, and the one it may look out to."""

    number: int
    outer: "Level | None" = None
    entries: list[Entry] = field(default_factory=list)


class Begin(msgspec.Struct, frozen=True):
    """BEGIN, START TRANSACTION, SAVEPOINT, COMMIT, ROLLBACK …: the server says what became of it."""


class Prepare(msgspec.Struct, frozen=True):
    """SQL PREPARE: the statement itself stands for what it prepares: their facts are the same."""

    name: str


class Execute(msgspec.Struct, frozen=True):
    """SQL EXECUTE of a prepared statement."""

    name: str


class Deallocate(msgspec.Struct, frozen=True):
    """DEALLOCATE; None means all."""

    name: str | None


class Declare(msgspec.Struct, frozen=True):
    """DECLARE CURSOR."""

    name: str


class Fetch(msgspec.Struct, frozen=True):
    """FETCH or MOVE of a cursor."""

    name: str


class CloseCursor(msgspec.Struct, frozen=True):
    """CLOSE; None means all."""

    name: str | None


class Say(msgspec.Struct, frozen=True):
    """`SET querywarden.<name> = '…'`: purpose, ticket or reason."""

    name: str
    value: str

    def __repr__(self) -> str:
        """Without the value."""
        return f"Say({self.name})"


class Discard(msgspec.Struct, frozen=True):
    """DISCARD ALL."""


class SetPath(msgspec.Struct, frozen=True):
    """The session's search path from now on, as one plain SET, RESET or `set_config` gives it; None: the pinned one."""

    path: tuple[str, ...] | None


class ChangeSchema(msgspec.Struct, frozen=True):
    """Any DDL: the snapshot no longer holds."""


Effect: TypeAlias = (
    Begin
    | Prepare
    | Execute
    | Deallocate
    | Declare
    | Fetch
    | CloseCursor
    | Say
    | Discard
    | SetPath
    | ChangeSchema
    | None
)


class Understood(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One statement: the facts for policy, and what rewriting needs. Never shown as a whole: it holds literals."""

    statement: Statement
    text: str
    """the statement alone, as the agent wrote it"""
    span: Span
    """of `text` in the message, UTF-8 bytes"""
    tokens: Tokens = ()
    """of `text`, comments left out"""
    tree: Message | None = None
    """the node of libpg_query; None when it was not read. Locations in it count bytes from the start of `text`"""
    nodes: Sequence[Message] = ()
    """every message of `tree` but plain values and names, depth first"""
    effect: Effect = None
    governed: bool = False
    """it touches a governed relation"""
    references: tuple[Reference, ...] = ()
    named: tuple[Named, ...] = ()
    levels: Mapping[int, Level] = {}
    """query levels by number: what a column reference can mean where it stands"""

    def __repr__(self) -> str:
        """Without the text."""
        return f"Understood({self.statement.action}, {self.statement.sha256[:12]})"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """What a text is read against, besides the catalog."""

    search_path: tuple[str, ...]
    posture: Posture
    prepared: Mapping[str, Understood] = {}
    parameter_types: tuple[int, ...] = ()
