"""What the database holds, as one immutable snapshot: relations, columns, functions, and which of them show card data.

The snapshot is built from rows the caller read (`QUERIES`, simple SQL over pg_catalog of PostgreSQL 13 to 18) and from
the site's labels. Labels are closed over everything through which a labelled value can come: see `closure.py`.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import msgspec

PG_CATALOG = "pg_catalog"
SYSTEM_SCHEMAS = frozenset({PG_CATALOG, "information_schema", "pg_toast"})


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
    filtered: bool = False
    """a row filter of the site may govern it, or something it reads"""
    primary_key: tuple[int, ...] = ()
    """attnums"""
    reads: tuple[int, ...] = ()
    """OIDs of the base relations a view reads, all levels; sorted"""
    relatives: tuple[int, ...] = ()
    """OIDs of every other relation through which its rows can come; sorted"""

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


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot. Look-ups return None or nothing for what is not known: the caller must refuse then."""

    sha256: str
    server_version: int
    """`server_version_num`, e.g. 150008"""
    relations: Mapping[int, RelationInfo]
    functions: Mapping[int, FunctionInfo]
    operators: tuple[OperatorInfo, ...]
    protected: Mapping[tuple[int, int], tuple[str, ...]]
    """(relation OID, attnum) → labels, the closure included"""
    problems: tuple[str, ...]
    """what site data names and the database does not have; one sentence each"""
    schemas: tuple[str, ...] = ()
    types: Mapping[int, str] = MappingProxyType({})
    """type OID → `schema.name`"""
    relation_names: Mapping[tuple[str, str], int] = MappingProxyType({})
    function_names: Mapping[str, tuple[int, ...]] = MappingProxyType({})
    """bare name → OIDs, every schema"""
    operator_names: Mapping[str, tuple[OperatorInfo, ...]] = MappingProxyType({})

    def resolve(self, name: Sequence[str], search_path: Sequence[str]) -> RelationInfo | None:
        """The relation a (folded) name of one or two parts means; pg_catalog is searched first unless it is listed."""
        match tuple(name):
            case (schema, relation) if (oid := self.relation_names.get((schema, relation))) is not None:
                return self.relations[oid]
            case (relation,):
                for schema in _with_catalog(search_path):
                    if (oid := self.relation_names.get((schema, relation))) is not None:
                        return self.relations[oid]
        return None

    def lookup_functions(self, name: Sequence[str], search_path: Sequence[str]) -> tuple[FunctionInfo, ...]:
        """Every overload a (folded) name of one or two parts could mean, in search order."""
        *schema, bare = name
        found = [self.functions[oid] for oid in self.function_names.get(bare, ())]
        order = tuple(schema) or _with_catalog(search_path)
        return tuple(function for place in order for function in found if function.schema == place)

    def lookup_operators(self, name: Sequence[str], search_path: Sequence[str]) -> tuple[OperatorInfo, ...]:
        """Every operator of that name a statement could reach, in search order."""
        *schema, bare = name
        order = tuple(schema) or _with_catalog(search_path)
        return tuple(found for place in order for found in self.operator_names.get(bare, ()) if found.schema == place)


def _with_catalog(search_path: Sequence[str]) -> tuple[str, ...]:
    """PostgreSQL 18, §5.10.5: pg_catalog is always searched, first unless the path names it."""
    return tuple(search_path) if PG_CATALOG in search_path else (PG_CATALOG, *search_path)
