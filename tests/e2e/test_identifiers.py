"""Names in any script, however they are written, are masked; and errors stand where they stand directly."""
# ruff: noqa: S608 -- statements made of names of our own

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.support import rawpg
from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster, password_of
from tests.support.rawpg import RawClient, extended, query

CARD, SHOWN = b"4111111111111111", b"************1111"
NAMES: Sequence[tuple[str, str]] = (
    ("cards", "pan"),
    ("Карты", "номер"),
    ("カード", "番号"),
    ("💳 table", "🔢"),
    ("cafe\u0301", "nu\u0301mero"),
    ("بطاقات", "رقم"),
    ('quo"ted', 'p"a""n'),
    ("line\r\nbreak", "tab\there"),
    ("я" * 31, "ж" * 31),
    ("a" + "я" * 31, "b" + "💳" * 15),
    ("SELECT", "FROM"),
    ("it's", "$1"),
    ("--no comment", "/*neither*/"),
    ("\\0041", "back\\slash"),
    ("e\u200dmoji👩\u200d👧", "\ufeffbom"),
)
"""relation and column"""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def escaped(name: str, mark: str = "\\") -> str:
    """The name with each character as an escape."""
    body = "".join(f"{mark}+{ord(letter):06x}" for letter in name)
    return f'U&"{body}"' + ("" if mark == "\\" else f" UESCAPE '{mark}'")


def unquoted(name: str) -> str:
    """As it may be written bare, in other cases of ASCII."""
    return "".join(letter.upper() if letter.isascii() else letter for letter in name)


@dataclass(frozen=True, slots=True)
class Place:
    """The database and the gateway in front of it."""

    cluster: Cluster
    database: str
    gateway: Gateway

    def through(self) -> RawClient:
        """An agent's client."""
        client = RawClient(self.gateway.port)
        client.start_tls(self.gateway.tls.ca)
        client.log_in(self.gateway.token(), "names", "agent")
        return client

    def direct(self) -> RawClient:
        """A client of the database."""
        client = RawClient(self.cluster.port, source="127.0.0.2")
        client.start_tls(self.cluster.tls.ca)
        client.log_in(password_of("postgres"), self.database, "postgres")
        return client


@pytest.fixture(scope="module")
def place(cluster: Cluster) -> Iterator[Place]:
    database = cluster.create_database()
    for relation, column in NAMES:
        table = f"public.{quoted(relation)}"
        made = f"CREATE TABLE {table} (id int PRIMARY KEY, {quoted(column)} text NOT NULL, other text);"
        cluster.run(made + f"INSERT INTO {table} VALUES (1, '{CARD.decode()}', 'плоский 💳')", database)
    labels = {f"public.{relation}": {column: ["pan"]} for relation, column in NAMES}
    access = {
        "grants": [{"groups": ["agents"], "connections": ["names"], "relations": ["*"], "actions": ["*"]}],
        "masks": {"pan": "last4"},
    }
    with running_gateway(
        cluster, {"names": Upstream(database, "postgres")}, Site({"names": labels}, access)
    ) as gateway:
        yield Place(cluster, database, gateway)
    cluster.drop_database(database)


def spellings(relation: str, column: str) -> Iterator[tuple[str, str]]:
    """Every way to write the two names."""
    yield quoted(relation), quoted(column)
    yield escaped(relation), escaped(column)
    yield escaped(relation, "!"), escaped(column, "!")
    yield quoted(relation), escaped(column, "?")
    if relation.isalpha() and relation.islower() and column.isalpha():
        yield unquoted(relation), unquoted(column)
        yield relation, column
    if len(relation.encode()) > 60:
        yield quoted(relation + "💳" * 20), quoted(column + "💳" * 9)
        yield escaped(relation + "💳" * 20), quoted(column + "💳" * 9)


FORMS = (
    "SELECT {c} FROM {r}",
    "SELECT id, other, {c} AS \"Ы💳\" FROM {r} WHERE '💳' <> 'ъ' -- 💳",
    "SELECT * FROM {r}",
    "SELECT {r}.{c} FROM {r}",
    "SELECT public.{r}.{c} FROM public . {r}",
    'SELECT "💳ж".{c} FROM ONLY ({r}) AS "💳ж"',
    "SELECT x.{c} FROM {r}* x",
    "TABLE {r}",
    'SELECT /* \'" 💳 */ $ж$ "$ж$, {c} FROM {r} TABLESAMPLE system (100)',
    "SELECT a.{c}, b.{c} FROM {r} a JOIN {r} b USING (id)",
    "WITH w AS (SELECT {c} FROM {r}) SELECT * FROM w",
    "SELECT ROW(t.*)::text FROM {r} t",
    "UPDATE {r} SET other = 'жж💳' RETURNING {c}, *",
    "COPY {r} TO STDOUT",
    "COPY public.{r} ({c}) TO STDOUT (FORMAT binary)",
    "COPY (SELECT {c} FROM {r}) TO STDOUT",
)


def content(seen: Sequence[rawpg.Message]) -> list[tuple[str, bytes]]:
    """Rows, their description without where they come from, and COPY data."""
    return [(message.kind, message.body) for message in seen if message.kind in "Dd"]


@pytest.mark.parametrize(("relation", "column"), NAMES)
def test_a_name_is_masked_however_it_is_written(place: Place, relation: str, column: str) -> None:
    with closing(place.through()) as through, closing(place.direct()) as direct:
        for r, c in spellings(relation, column):
            for form in FORMS:
                text = form.format(r=r, c=c)
                wanted, seen = direct.ask(query(text)), through.ask(query(text))
                assert rawpg.error(wanted) == rawpg.error(seen) == {}, text
                assert len(content(wanted)) > 0
                assert content(seen) == [(kind, body.replace(CARD, SHOWN)) for kind, body in content(wanted)], text
                assert CARD in b"".join(body for _, body in content(wanted))


@pytest.mark.parametrize(("relation", "column"), NAMES)
def test_columns_keep_the_names_the_server_gives_them(place: Place, relation: str, column: str) -> None:
    def named(seen: Sequence[rawpg.Message]) -> list[bytes]:
        body = next(message.body for message in seen if message.kind == "T")
        names, at = [], 2
        while at < len(body):
            end = body.index(0, at)
            names.append(body[at:end])
            at = end + 19
        return names

    with closing(place.through()) as through, closing(place.direct()) as direct:
        for r, c in spellings(relation, column):
            for form in ("SELECT {c}, id FROM {r}", "SELECT * FROM {r}", "UPDATE {r} SET id = 1 RETURNING {c}, *"):
                for flight in (query(form.format(r=r, c=c)), extended(form.format(r=r, c=c))):
                    assert named(through.ask(flight)) == named(direct.ask(flight))


WRONG = (
    "SELECT {c}, nosuch FROM {r}",
    "SELECT '💳', {c} FROM {r} WHERE id = 'ж'",
    'SELECT {c} FROM {r} AS "💳" WHERE нет = 1',
    "SELECT {c} FROM {r} ORDER BY 7",
    "SELECT {c}\r\nFROM {r}\r\nWHERE\tid + '💳'::text = 1",
    "SELECT count(*), {c} FROM {r}",
    "SELECT {c} FROM {r} JOIN {r} AS b ON b.nosuch = 1",
    "SELECT lower({c}, 'ж') FROM {r}",
    "UPDATE {r} SET other = nosuch RETURNING {c}",
    "INSERT INTO {r} (id, nosuch) VALUES (9, '💳')",
    "SELECT {c} FROM {r} UNION SELECT 1",
    "SELECT {c} FROM {r} GROUP BY id, nosuch",
    "SELECT {c} FROM {r}, {r}",
    "SELECT 'ж'; SELECT {c}, nosuch FROM {r}",
)


@pytest.mark.parametrize(("relation", "column"), NAMES)
def test_an_error_stands_where_it_stands_directly(place: Place, relation: str, column: str) -> None:
    with closing(place.through()) as through, closing(place.direct()) as direct:
        for r, c in spellings(relation, column):
            for form in WRONG:
                text = form.format(r=r, c=c)
                flights = [query(text)] if ";" in text else [query(text), extended(text)]
                for flight in flights:
                    wanted, seen = rawpg.error(direct.ask(flight)), rawpg.error(through.ask(flight))
                    assert wanted, text
                    kept = ("S", "C", "P")
                    assert [seen.get(name) for name in kept] == [wanted.get(name) for name in kept], (text, seen)
