"""What random statements are made of: relations, functions and operators, read from the server they will run on."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg

ALLOW = Path(__file__).parents[3] / "policies/gateway/lib/allow/data.json"

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "text",
        "card_number": "text",
        "name": "text",
        "character varying": "text",
        "character": "text",
        '"char"': "text",
        "smallint": "int",
        "integer": "int",
        "bigint": "int",
        "numeric": "num",
        "double precision": "num",
        "real": "num",
        "boolean": "bool",
        "json": "json",
        "jsonb": "jsonb",
        "bytea": "bytea",
        "uuid": "uuid",
        "timestamp with time zone": "time",
        "timestamp without time zone": "time",
        "date": "time",
        "text[]": "texts",
        "record": "row",
        "anyelement": "any",
        "anycompatible": "any",
        "anynonarray": "any",
        '"any"': "any",
        "anyarray": "texts",
        "anycompatiblearray": "texts",
        "tsvector": "tsvector",
        "tsquery": "tsquery",
        "xml": "xml",
        "jsonpath": "jsonpath",
        "bit": "bits",
        "interval": "span",
        "oid": "oid",
        "regclass": "oid",
    }
)
"""type → kind: the generator thinks in kinds, and casts where a function wants one type of a kind"""
_ANSWERS_DIFFER = frozenset(
    [
        "current_database",
        "current_catalog",
        "inet_server_port",
        "pg_backend_pid",
        "txid_current",
        "txid_current_if_assigned",
        "txid_current_snapshot",
        "pg_current_xact_id",
        "pg_current_xact_id_if_assigned",
        "pg_current_snapshot",
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "pg_postmaster_start_time",
        "pg_conf_load_time",
        "pg_relation_filenode",
        "pg_relation_filepath",
        "pg_filenode_relation",
        "pg_my_temp_schema",
        "pg_is_other_temp_schema",
        "pg_xact_commit_timestamp",
        "pg_last_committed_xact",
        "pg_blocking_pids",
        "pg_safe_snapshot_blocking_pids",
        "age",
        "pg_database_size",
        "current_setting",
        "pg_current_wal_lsn",
        "pg_current_wal_insert_lsn",
        "pg_current_wal_flush_lsn",
        "pg_stat_get_activity",
        "pg_stat_get_xact_numscans",
    ]
)
"""functions of the moment, the session or the place: their answers differ without telling anything"""
_DANGEROUS_TO_US = frozenset({"repeat", "lpad", "rpad", "generate_series", "factorial", "power", "pow", "array_fill"})
"""functions that could fill the memory: the generator writes them itself, with small numbers"""

_RELATIONS = """
SELECT n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, NULL), a.attgenerated <> ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
WHERE n.nspname IN ('public', 'archive') AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY n.nspname, c.relname, a.attnum"""
_FUNCTIONS = """
SELECT p.proname, p.prokind, p.proretset, format_type(p.prorettype, NULL),
  ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS u(t, n) ORDER BY n),
  p.provariadic <> 0
FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provolatile <> 'v'
  AND p.prokind IN ('f', 'a', 'w') AND coalesce(cardinality(p.proallargtypes), 0) = 0
ORDER BY p.proname, p.oid"""
_OPERATORS = """
SELECT o.oprname, format_type(o.oprleft, NULL), format_type(o.oprright, NULL), format_type(o.oprresult, NULL)
FROM pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0 ORDER BY o.oid"""


@dataclass(frozen=True, slots=True)
class Relation:
    """A relation; `columns` are (name, kind, type, generated)."""

    schema: str
    name: str
    relkind: str
    columns: Sequence[tuple[str, str, str, bool]]

    @property
    def is_table(self) -> bool:
        return self.relkind in {"r", "p"}


@dataclass(frozen=True, slots=True)
class Routine:
    """A function, aggregate or operator by its argument types."""

    name: str
    result: str
    arguments: Sequence[str]
    many: bool = False
    """it returns a set"""
    variadic: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything by the kind of its result."""

    relations: Sequence[Relation]
    functions: Mapping[str, Sequence[Routine]]
    aggregates: Mapping[str, Sequence[Routine]]
    windows: Mapping[str, Sequence[Routine]]
    operators: Mapping[str, Sequence[Routine]]
    refused: Sequence[str] = (
        "get_pan(1)",
        "pg_read_file('x')",
        "query_to_xml('TABLE cards', true, true, '')",
        "lo_get(1)",
    )
    """calls that are never allowed"""


def read_vocabulary(connection: psycopg.Connection) -> Vocabulary:
    """Relations of the cases; functions and operators of the server that the bundle allows."""
    columns: dict[tuple[str, str, str], list[tuple[str, str, str, bool]]] = defaultdict(list)
    for schema, name, relkind, column, type_name, generated in connection.execute(_RELATIONS):
        columns[schema, name, relkind].append((column, KINDS.get(type_name, "other"), type_name, generated))
    relations = tuple(Relation(*place, tuple(found)) for place, found in columns.items())
    by_kind: dict[str, dict[str, list[Routine]]] = {kind: defaultdict(list) for kind in "faw"}
    allowed = json.loads(ALLOW.read_text(encoding="utf-8"))
    for name, prokind, many, result, arguments, variadic in connection.execute(_FUNCTIONS):
        known = name in allowed["functions"]["pg_catalog"] and name not in _ANSWERS_DIFFER | _DANGEROUS_TO_US
        if known and result in KINDS and all(argument in KINDS for argument in arguments):
            by_kind[prokind][KINDS[result]].append(Routine(name, result, arguments, many, variadic))
    operators: dict[str, list[Routine]] = defaultdict(list)
    for name, left, right, result in connection.execute(_OPERATORS):
        if name in allowed["operators"]["pg_catalog"] and {left, right, result} <= KINDS.keys():
            operators[KINDS[result]].append(Routine(name, result, (left, right)))
    return Vocabulary(relations, by_kind["f"], by_kind["a"], by_kind["w"], operators)
