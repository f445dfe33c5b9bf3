"""Writes snapshot.json: the catalog rows of the cases' schema, cut down to what unit tests need. Run it after a change.

python -m tests.sql.make_snapshot
"""
# ruff: noqa: SIM905 -- a list of words

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from gateway.sql.rows import Row, Rows
from tests.support.cases import schema
from tests.support.postgres import running_cluster
from tests.support.rewriting import read_rows

SNAPSHOT = Path(__file__).parent / "snapshot.json"
SYSTEM = ("pg_catalog", "information_schema")
RELATIONS = ("pg_class", "pg_namespace", "pg_attribute", "pg_stat_activity", "pg_stats", "pg_statistic")
FUNCTIONS = frozenset(
    "lower upper length right left octet_length reverse count max min sum avg now set_config current_setting to_jsonb "
    "row_to_json json_agg string_agg generate_series unnest pg_read_file query_to_xml md5 substr text concat nextval "
    "json_object row_number".split()
)
OPERATORS = frozenset({"=", "<>", "<", "<=", ">", ">=", "||", "+", "-", "~~", "->", "->>", "@>", "%"})
TYPES = frozenset(
    "bool bytea char name int8 int2 int4 text oid json xml float4 float8 bpchar varchar date time timestamp "
    "timestamptz interval numeric uuid jsonb record unknown _text _int4 _int8 regclass anyelement".split()
)


def trimmed(rows: Rows) -> dict[str, list[Row]]:
    """What of the rows is kept."""
    types = {row[0] for row in rows["types"] if row[1] not in SYSTEM or row[2] in TYPES}
    relations = {row[0] for row in rows["relations"] if row[1] not in SYSTEM or row[2] in RELATIONS}
    operators = [row for row in rows["operators"] if row[1] not in SYSTEM or _kept(row, types)]
    behind = {row[6] for row in operators if row[1] in SYSTEM}
    keep: Mapping[str, Callable[[Row], bool]] = MappingProxyType(
        {
            "types": lambda row: row[0] in types,
            "relations": lambda row: row[0] in relations,
            "columns": lambda row: row[0] in relations,
            "functions": lambda row: row[1] not in SYSTEM or row[2] in FUNCTIONS or row[0] in behind,
            "operators": lambda row: row in operators,
            "casts": lambda row: row[0] in types and row[1] in types,
            "keys": lambda row: row[0] in relations,
        }
    )
    return {name: [row for row in found if name not in keep or keep[name](row)] for name, found in rows.items()}


def _kept(operator: Row, types: set[str | None]) -> bool:
    return operator[2] in OPERATORS and operator[3] in {*types, "0"}


def main() -> None:
    """Make the file from a fresh server."""
    with running_cluster() as cluster:
        name = cluster.create_database()
        cluster.run(schema(), name)
        rows = trimmed(read_rows(cluster.conninfo(name)))
    lines = [f"{json.dumps(name)}: [\n{_rows(found)}\n]" for name, found in rows.items()]
    SNAPSHOT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _rows(found: list[Row]) -> str:
    return ",\n".join(json.dumps(row, ensure_ascii=False) for row in found)


if __name__ == "__main__":
    main()
