"""What one SQL statement is, in the words of the policy input document (`docs/reference/input.md`).

Everything here may be shown to policy and stored: no literal, no comment, no value of a parameter.
"""

import msgspec


class _Fact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, order=True):
    """A fact about a statement: frozen, ordered, so that arrays can be sorted."""


class Relation(_Fact, frozen=True, kw_only=True):
    """A relation the statement touches, by its canonical name."""

    schema: str
    name: str
    kind: str
    """table view matview partition partitioned foreign sequence system function unknown"""
    access: tuple[str, ...]
    """read, write or both; sorted"""
    labels: tuple[str, ...] = ()
    """every label of any of its columns, its own or inherited; sorted"""
    via: tuple[str, ...] = ()
    """`schema.view` names through which it is reached when it is not named itself; sorted"""
    writes: tuple[str, ...] = ()
    """what INSERT, UPDATE, DELETE and MERGE do to it anywhere in the statement: insert update delete merge; sorted"""


class Column(_Fact, frozen=True, kw_only=True):
    """A column the statement names, or reaches by `*` or a whole row."""

    schema: str
    relation: str
    name: str
    labels: tuple[str, ...] = ()
    clauses: tuple[str, ...]
    """select where join group order having window limit set returning insert; sorted"""


class Function(_Fact, frozen=True, kw_only=True):
    """A function, operator, cast or aggregate the statement calls."""

    schema: str
    """resolved schema; empty when no such function is known"""
    name: str
    kind: str
    """function operator cast aggregate procedure"""


class Hazard(_Fact, frozen=True, kw_only=True):
    """Something that could not be understood or is never let through. `code` stands in `core/codes.py`."""

    code: str
    detail: str = ""


class Parameter(_Fact, frozen=True, kw_only=True):
    """A bound parameter: its type's name and its class, never its value."""

    type: str
    class_: str = msgspec.field(name="class")
    """number text binary temporal boolean json uuid array other unknown"""


class Shape(_Fact, frozen=True, kw_only=True):
    """Coarse form of the outermost query."""

    has_where: bool = False
    limit: bool = False
    joins: int = 0
    cartesian: bool = False
    set_operation: bool = False
    locking: bool = False


class Statement(_Fact, frozen=True, kw_only=True):
    """One statement, understood. `action` and `category` are those of the input document."""

    action: str
    category: str
    """read write ddl dcl session transaction procedure admin"""
    dialect: str = "postgres"
    count: int = 1
    """how many statements came in the same message"""
    text_redacted: str
    sha256: str
    """hex sha256 of `text_redacted`"""
    fingerprint: str
    relations: tuple[Relation, ...] = ()
    columns: tuple[Column, ...] = ()
    functions: tuple[Function, ...] = ()
    settings: tuple[str, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    shape: Shape = Shape()
