"""The objects of a database as the snapshot keeps them: relations, columns, functions, operators, casts."""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What a relation is, in the words of the input document."""

    TABLE = "table"
    VIEW = "view"
    MATVIEW = "matview"
    PARTITION = "partition"
    PARTITIONED = "partitioned"
    FOREIGN = "foreign"
    SEQUENCE = "sequence"
    OTHER = "unknown"


class ColumnInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a relation, in the order and with the type the server gives it."""

    name: str
    attnum: int
    type: str
    """`format_type` with modifiers, e.g. `character varying(19)`; a domain keeps its name"""
    type_oid: int
    base_type: str
    """the same with domains unfolded, e.g. `text`: what a mask is cast to"""
    base_oid: int
    category: str = ""
    """`pg_type.typcategory` of the base type"""
    not_null: bool = False
    generated: bool = False
    has_default: bool = False
    labels: tuple[str, ...] = ()
    """its own and inherited labels; sorted"""
    exact: bool = True
    """it holds the labelled value itself, not something made of it: a part of it is a part of that value"""


class HiddenCode(msgspec.Struct, frozen=True, kw_only=True):
    """Code the server runs when a relation is written: a trigger, rule, policy, check, default or index expression."""

    kind: str
    """trigger rule policy constraint default index"""
    name: str
    events: frozenset[str]
    """insert update delete truncate: when it runs"""
    columns: frozenset[str] = frozenset()
    """columns a constraint or unique index looks at together; empty for code that sees the whole row"""
    relation: str = ""
    """`schema.relation` it belongs to"""
    governed: bool = False
    """that relation is governed"""


class RelationInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A relation by its identity. `governed` says that rows of it need care even where it shows nothing protected."""

    oid: int
    schema: str
    name: str
    kind: Kind
    columns: tuple[ColumnInfo, ...]
    system: bool = False
    """in pg_catalog, information_schema or pg_toast"""
    governed: bool = False
    cascades: bool = False
    """a write to it may change a governed relation through its foreign keys: an error may then print that one's rows"""
    filtered: bool = False
    """site data names a row filter for it"""
    primary_key: tuple[int, ...] = ()
    """attnums"""
    reads: tuple[int, ...] = ()
    """OIDs of the relations a view reads, all levels; sorted"""
    relatives: tuple[int, ...] = ()
    """OIDs of every governed relation whose rows come through this one, itself left out; sorted"""
    calls: tuple[tuple[str, str], ...] = ()
    """(schema, name) of functions a view's definition calls, all levels, built-in ones included; sorted"""
    runs: tuple[HiddenCode, ...] = ()
    """user-written code a write to it runs, that of its partitions and of what its foreign keys cascade to included"""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label of any of its columns; sorted."""
        return tuple(sorted({label for column in self.columns for label in column.labels}))

    @property
    def qualified(self) -> str:
        """`schema.relation`, as site data writes it."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> ColumnInfo | None:
        """The column of that exact (folded) name."""
        return next((column for column in self.columns if column.name == name), None)


class FunctionInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A function, procedure, aggregate or window function."""

    oid: int
    schema: str
    name: str
    kind: str
    """function aggregate window procedure"""
    volatility: str
    """immutable stable volatile"""
    security_definer: bool
    leakproof: bool
    language: str
    returns_set: bool
    arguments: tuple[int, ...]
    """type OIDs of the input arguments"""
    result: int
    """type OID"""
    defaults: int = 0
    """how many trailing arguments may be left out"""
    variadic: bool = False


class OperatorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An operator: `left` is 0 for a prefix operator."""

    oid: int
    schema: str
    name: str
    left: int
    right: int
    result: int
    function: int
    """OID of the function behind it; 0 for a shell"""


class CastInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A cast between two types; `function` is 0 for binary-coercible and I/O casts."""

    source: int
    target: int
    function: int
    implicit: bool = False
    """the server applies it on its own"""


class TypeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A data type."""

    oid: int
    schema: str
    name: str
    kind: str
    """b base, c composite, d domain, e enum, p pseudo, r range, m multirange"""
    base: int
    """OID of a domain's base type; 0 otherwise"""
    base_type: str
    """`format_type` of a domain's base with its modifiers; empty otherwise"""
    category: str
    relation: int
    """OID of the relation whose row type it is; 0 otherwise"""
    element: int
    """OID of an array's element type; 0 otherwise"""
