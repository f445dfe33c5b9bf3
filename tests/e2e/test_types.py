"""Masks hold for every type: of the server's own, arrays, domains, enums, composites, ranges; text, binary and COPY.

The list of types is the server's `pg_type`: a type without a sample here fails the test.
"""
# ruff: noqa: E501, S608 -- tables of types; statements made of names of our own

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import asyncpg  # type: ignore[import-untyped]  # it has none
import psycopg
import pytest
from psycopg import sql

from tests.support import rawpg
from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, password_of
from tests.support.rawpg import RawClient, extended, query

METHODS = ("null", "fixed", "last4", "first6_last4", "clear")
SAMPLES: Mapping[str, str] = {
    "aclitem": "postgres=r/postgres", "bit": "1", "bool": "t", "box": "(1,1),(0,0)", "bpchar": "4111111111111111", "bytea": "\\x0102",
    "char": "x", "cid": "7", "cidr": "10.0.0.0/8", "circle": "<(0,0),1>", "date": "2026-01-02", "float4": "1.5", "float8": "2.5",
    "inet": "10.0.0.1", "int2": "3", "int4": "4", "int8": "5000000000", "interval": "1 day", "json": '{"a": 1}', "jsonb": '{"b": 2}',
    "jsonpath": '$."a"', "line": "{1,2,3}", "lseg": "[(0,0),(1,1)]", "macaddr": "08:00:2b:01:02:03", "macaddr8": "08:00:2b:01:02:03:04:05",
    "money": "12.34", "name": "a_name", "numeric": "123.45", "oid": "26", "path": "((0,0),(1,1))", "pg_lsn": "0/16B3748",
    "pg_snapshot": "10:20:10,14", "point": "(1,2)", "polygon": "((0,0),(1,1),(1,0))", "refcursor": "a_cursor", "regclass": "pg_class",
    "regcollation": '"C"', "regconfig": "simple", "regdictionary": "simple", "regnamespace": "pg_catalog", "regoper": "||/",
    "regoperator": "+(integer,integer)", "regproc": "now", "regprocedure": "now()", "regrole": "postgres", "regtype": "integer",
    "text": "4111111111111111", "tid": "(0,1)", "time": "01:02:03", "timestamp": "2026-01-02 03:04:05", "timestamptz": "2026-01-02 03:04:05+00",
    "timetz": "01:02:03+00", "tsquery": "'a' & 'b'", "tsvector": "'a':1", "txid_snapshot": "10:20:10,14", "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "varbit": "101", "varchar": "4111111111111111", "xid": "8", "xid8": "9", "xml": "<a>1</a>", "int4range": "[1,3)", "int8range": "[1,3)",
    "numrange": "[1.5,2.5)", "tsrange": "[2026-01-01,2026-01-02)", "tstzrange": "[2026-01-01,2026-01-02)", "daterange": "[2026-01-01,2026-01-02)",
    "int4multirange": "{[1,3)}", "int8multirange": "{[1,3)}", "nummultirange": "{[1.5,2.5)}", "tsmultirange": "{[2026-01-01,2026-01-02)}",
    "tstzmultirange": "{[2026-01-01,2026-01-02)}", "datemultirange": "{[2026-01-01,2026-01-02)}", "oidvector": "1 2", "int2vector": "1 2",
    "citext": "4111111111111111", "hstore": '"a"=>"1"', "mood": "glad", "pair": "(1,4111111111111111)", "band": "[1,2)", "bandmultirange": "{[1,2)}",
    "band_multirange": "{[1,2)}", "ghstore": "",
    "d_text": "4111111111111111", "d_checked": "4111111111111111", "d_nested": "4111111111111111", "d_short": "abc", "d_fixed": "4111111111111111",
    "d_number": "7", "d_array": "{4111111111111111}", "d_pair": "(1,4111111111111111)", "d_mood": "glad",
}  # fmt: skip
WITHOUT_INPUT = frozenset(
    {
        "gtsvector", "ghstore", "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary", "pg_dependencies", "pg_mcv_list", "pg_ndistinct",
        "pg_node_tree",
    }
)  # fmt: skip
"""Types whose values only the server makes."""
MODIFIED: Mapping[str, str] = {
    "character varying(19)": "4111111111111111", "character varying(3)": "abc", "character varying(14)": "4111111111111", "character(19)": "4111111111111111",
    "character(2)": "ab", "character(1)": "a", "character(13)": "411111111111", "numeric(16,0)": "4111111111111111", "numeric(5,2)": "1.25", "bit(3)": "101",
    "bit varying(5)": "101", "time(3)": "01:02:03.456", "time(2) with time zone": "01:02:03.45+00", "timestamp(0)": "2026-01-02 03:04:05",
    "timestamp(6) with time zone": "2026-01-02 03:04:05+00", "interval(2)": "1.25 seconds", "interval year to month": "14 months", "character varying(19)[]": "{4111111111111111}",
    "numeric(16,0)[]": "{4111111111111111}", 'text COLLATE "C"': "4111111111111111",
}  # fmt: skip
"""Types with modifiers or a collation."""
TYPES = """
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE TYPE pair AS (n int, pan text);
CREATE TYPE band AS RANGE (subtype = float8);
CREATE DOMAIN d_text AS text NOT NULL; CREATE DOMAIN d_checked AS text NOT NULL CHECK (VALUE ~ '^[0-9]{16}$');
CREATE DOMAIN d_nested AS d_checked CHECK (length(VALUE) > 3); CREATE DOMAIN d_short AS varchar(3) CHECK (VALUE <> '****');
CREATE DOMAIN d_fixed AS char(19); CREATE DOMAIN d_number AS int8 NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN d_array AS text[]; CREATE DOMAIN d_pair AS pair; CREATE DOMAIN d_mood AS mood NOT NULL;
"""
LISTED = """
SELECT t.typname, pg_catalog.format_type(t.oid, -1), coalesce(e.typsend, t.typsend) <> 0, e.typname, t.typnotnull
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.typarray = t.oid
LEFT JOIN pg_catalog.pg_class c ON c.oid = coalesce(e.typrelid, t.typrelid) AND c.relkind <> 'c'
WHERE n.nspname IN ('pg_catalog', 'public') AND t.typtype <> 'p' AND coalesce(e.typtype, 'b') <> 'p' AND c.oid IS NULL
ORDER BY t.oid
"""
SHOWABLE = frozenset({25, 1042, 1043})
"""type OIDs of which a part can be shown"""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the tables: its name says its number only, so that no name is a keyword."""

    name: str
    type: str
    sample: str | None
    binary: bool
    not_null: bool


@dataclass(frozen=True, slots=True)
class Types:
    """The database and the gateway in front of it."""

    cluster: Cluster
    database: str
    gateway: Gateway
    columns: Sequence[Column]

    def clients(self) -> tuple[RawClient, RawClient]:
        """A client of the gateway and one of the database itself."""
        through = RawClient(self.gateway.port)
        through.start_tls(self.gateway.tls.ca)
        through.log_in(self.gateway.token(), "types", "agent")
        return through, _direct(self.cluster, self.database)

    def list(self, *, binary: bool) -> str:
        """The select list: in binary only types that have a binary form."""
        return ", ".join(["id", *(column.name for column in self.columns if column.binary or not binary)])


def _direct(cluster: Cluster, database: str) -> RawClient:
    client = RawClient(cluster.port, source="127.0.0.2")
    client.start_tls(cluster.tls.ca)
    client.log_in(password_of("postgres"), database, "postgres")
    return client


def columns_of(connection: psycopg.Connection) -> list[Column]:
    """A column for every type of the server, and for those with modifiers."""
    found = []
    for number, row in enumerate(connection.execute(LISTED)):
        name, written, binary, element, not_null = (str(part) if isinstance(part, str) else part for part in row)
        known = str(element or name)
        sample = None if known in WITHOUT_INPUT else SAMPLES[known]
        quoted = "" if sample is None else sample.replace("\\", "\\\\").replace('"', '\\"')
        sample = f'{{"{quoted}"}}' if element and sample is not None else sample
        found.append(Column(f"c{number}", str(written), sample, bool(binary), bool(not_null) or name == "d_nested"))
    found += [
        Column(f"m{n}", name, text, binary=True, not_null=False) for n, (name, text) in enumerate(MODIFIED.items())
    ]
    return found


def _table(name: str, columns: Sequence[Column]) -> sql.Composed:
    listed = "".join(f", {column.name} {column.type}" for column in columns)
    made = f"CREATE TABLE {name} (id int PRIMARY KEY{listed}, serial bigint GENERATED ALWAYS AS IDENTITY, "
    made += "plain text NOT NULL, doubled text GENERATED ALWAYS AS (plain || '') STORED)"
    full = [sql.Literal(column.sample) for column in columns]
    bare = [sql.Literal(column.sample if column.not_null else None) for column in columns]
    names = ", ".join(["id", *(column.name for column in columns), "plain"])
    rows = [
        sql.SQL("({})").format(sql.SQL(", ").join([sql.Literal(n), *values, sql.Literal("4012888888881881")]))
        for n, values in ((1, full), (2, bare))
    ]
    insert = sql.SQL("INSERT INTO {} ({}) VALUES {}").format(sql.SQL(name), sql.SQL(names), sql.SQL(", ").join(rows))
    return sql.SQL("{}; {}").format(sql.SQL(made), insert)


@pytest.fixture(scope="module")
def types(cluster: Cluster) -> Iterator[Types]:
    database = cluster.create_database()
    cluster.run(TYPES, database)
    with cluster.connect(database) as connection:
        columns = columns_of(connection)
        for method in METHODS:
            connection.execute(_table(f"t_{method}", columns))
    shown = [*(column.name for column in columns), "serial", "plain", "doubled"]
    labels = {f"public.t_{method}": {name: [f"as_{method}"] for name in shown} for method in METHODS}
    access = {
        "grants": [{"groups": ["agents"], "connections": ["types"], "relations": ["*"], "actions": ["*"]}],
        "masks": {f"as_{method}": method for method in METHODS if method != "clear"},
        "clear": [{"groups": ["agents"], "connections": ["types"], "labels": ["as_clear"]}],
    }
    with running_gateway(
        cluster, {"types": Upstream(database, "postgres")}, Site({"types": labels}, access)
    ) as gateway:
        yield Types(cluster, database, gateway, columns)
    cluster.drop_database(database)


def described(seen: Sequence[rawpg.Message]) -> list[tuple[str, int, int, int, int]]:
    """RowDescription: (name, type OID, length, modifier, format)."""
    body = next(message.body for message in seen if message.kind == "T")
    (count,) = struct.unpack_from(">H", body)
    at, found = 2, []
    for _ in range(count):
        end = body.index(0, at)
        name = body[at:end].decode()
        _, _, oid, length, modifier, form = struct.unpack_from(">IHIhih", body, end + 1)
        found.append((name, oid, length, modifier, form))
        at = end + 19
    return found


def masked(method: str, field: tuple[str, int, int, int, int], value: bytes | None) -> bytes | None:
    """What contracts.md says a value is shown as: text in UTF-8, the same in both formats."""
    _, oid, _, modifier, _ = field
    if method == "clear" or field[0] == "id":
        return value
    if method == "null" or oid not in SHOWABLE:
        return None
    kept = (value or b"").decode()
    kept = kept.rstrip(" ") if oid == 1042 else kept
    shown = "****"
    if method == "last4" and len(kept.encode()) >= 12:
        shown = "*" * 12 + kept[-4:]
    if method == "first6_last4" and len(kept.encode()) >= 13:
        shown = kept[:6] + "*" * 6 + kept[-4:]
    length = modifier - 4 if modifier >= 4 else len(shown)
    shown = shown[:length].ljust(length) if oid == 1042 else shown[:length]
    return shown.encode()


def expected(
    method: str, fields: Sequence[tuple[str, int, int, int, int]], rows: Sequence[Sequence[bytes | None]]
) -> list[list[bytes | None]]:
    """The masked rows."""
    return [[masked(method, field, value) for field, value in zip(fields, row, strict=True)] for row in rows]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("how", ["simple", "text", "binary"])
def test_every_type_is_masked_and_stays_of_its_type(types: Types, method: str, how: str) -> None:
    text = f"SELECT {types.list(binary=how == 'binary')}, serial, plain, doubled FROM t_{method} ORDER BY id"
    flight = query(text) if how == "simple" else extended(text, results=int(how == "binary"))
    through, direct = types.clients()
    with closing(through), closing(direct):
        wanted, seen = direct.ask(flight), through.ask(flight)
    assert rawpg.error(wanted) == rawpg.error(seen) == {}
    assert described(seen) == described(wanted)
    assert rawpg.rows(seen) == expected(method, described(wanted), rawpg.rows(wanted))


@pytest.mark.parametrize("method", METHODS)
def test_a_star_shows_the_relation_as_it_is_made(types: Types, method: str) -> None:
    through, direct = types.clients()
    with closing(through), closing(direct):
        for text in (
            f"SELECT * FROM t_{method} ORDER BY id",
            f"UPDATE t_{method} SET id = id RETURNING *",
            f"TABLE t_{method}",
        ):
            wanted, seen = direct.ask(query(text)), through.ask(query(text))
            assert rawpg.error(seen) == {}, text
            assert described(seen) == described(wanted)
            assert rawpg.rows(seen) == expected(method, described(wanted), rawpg.rows(wanted))


def copied(seen: Sequence[rawpg.Message], *, binary: bool) -> list[list[bytes | None]]:
    """The fields of COPY TO STDOUT."""
    data = b"".join(message.body for message in seen if message.kind == "d")
    if not binary:
        return [[None if part == b"\\N" else part for part in line.split(b"\t")] for line in data.splitlines()]
    assert data.startswith(b"PGCOPY\n\xff\r\n\0")
    at, rows = 19, []
    while (count := struct.unpack_from(">h", data, at)[0]) >= 0:
        at += 2
        row: list[bytes | None] = []
        for _ in range(count):
            (size,) = struct.unpack_from(">i", data, at)
            row.append(None if size < 0 else data[at + 4 : at + 4 + size])
            at += 4 + max(size, 0)
        rows.append(row)
    return rows


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("binary", [False, True])
def test_copy_of_the_relation_shows_the_same(types: Types, method: str, *, binary: bool) -> None:
    names = types.list(binary=binary)
    form = "binary" if binary else "text"
    through, direct = types.clients()
    with closing(through), closing(direct):
        seen = through.ask(query(f"COPY t_{method} ({names}) TO STDOUT (FORMAT {form})"))
        wanted = direct.ask(query(f"COPY t_{method} ({names}) TO STDOUT (FORMAT {form})"))
        fields = described(direct.ask(query(f"SELECT {names} FROM t_{method}")))
    assert rawpg.error(seen) == {}
    rows = expected(method, fields, copied(wanted, binary=binary))
    assert sorted(copied(seen, binary=binary), key=repr) == sorted(rows, key=repr)


async def test_asyncpg_introspects_the_types_and_reads_the_masks(types: Types) -> None:
    link = await asyncpg.connect(
        host="127.0.0.1", port=types.gateway.port, database="types", user="agent", password=types.gateway.token(),
        ssl=rawpg.tls_context(types.gateway.tls.ca),
    )  # fmt: skip
    try:
        for method in METHODS:
            names = types.list(binary=True)
            statement = await link.prepare(f"SELECT {names}, plain FROM t_{method} WHERE id = $1")
            row = await statement.fetchrow(1)
            assert [attribute.name for attribute in statement.get_attributes()] == [*names.split(", "), "plain"]
            wanted = {"null": None, "fixed": "****", "last4": "************1881", "first6_last4": "401288******1881"}
            assert row["plain"] == wanted.get(method, "4012888888881881")
        assert await link.fetchval("SELECT count(*) FROM t_null") == 2
    finally:
        await link.close()


@pytest.mark.parametrize("binary", [False, True])
def test_psycopg_reads_the_masks_prepared_and_not(types: Types, *, binary: bool) -> None:
    with types.gateway.connect("types") as connection:
        for method in METHODS:
            text = f"SELECT {types.list(binary=binary)}, plain FROM t_{method} WHERE id = %s"
            first, *rest = [
                connection.execute(text, [1], prepare=prepare, binary=binary).fetchone()
                for prepare in (False, True, True)
            ]
            assert first is not None
            assert rest == [first, first]
            assert first[0] == 1


def test_a_type_without_a_sample_would_be_noticed(types: Types) -> None:
    with types.cluster.connect(types.database) as connection:
        connection.execute("CREATE TYPE newcomer AS ENUM ('x')")
        with pytest.raises(KeyError, match="newcomer"):
            columns_of(connection)
        connection.execute("DROP TYPE newcomer")


def test_a_row_value_shows_the_masks_in_every_form(types: Types) -> None:
    forms: Sequence[Callable[[str], str]] = (
        lambda t: f"SELECT {t}::text FROM {t} WHERE id = 1",
        lambda t: f"SELECT to_jsonb({t})::text FROM {t} WHERE id = 1",
        lambda t: f"SELECT row_to_json(x)::text FROM (SELECT * FROM {t}) x WHERE id = 1",
        lambda t: f"SELECT array_agg({t})::text FROM {t}",
    )
    with types.gateway.connect("types") as connection:
        for method in METHODS[:-1]:
            for form in forms:
                shown = str(connection.execute(form(f"t_{method}")).fetchone())
                assert "4111111111111111" not in shown
                assert "4012888888881881" not in shown
