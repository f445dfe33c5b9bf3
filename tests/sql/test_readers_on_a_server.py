"""Our facts and our rewriting held against the server's own parse trees: nothing it reads is unknown to us.

Random statements (QUERYWARDEN_SEED chooses them, QUERYWARDEN_STATEMENTS says how many scripts) and every statement of
the corpora. 20,000 scripts take
some four minutes.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import psycopg
import pytest
import yaml

from gateway.core.errors import Refused
from gateway.core.site import Posture
from gateway.core.verdict import RowFilter
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.model import Scope, Understood
from gateway.sql.rewrite import rewrite
from gateway.sql.understand import understand
from tests.support import rules
from tests.support.cases import postgres_cases, schema
from tests.support.generator.statements import script
from tests.support.generator.twins import LABELS
from tests.support.generator.vocabulary import read_vocabulary
from tests.support.postgres import Cluster
from tests.support.rewriting import read_rows
from tests.support.server_trees import OPTIONS, Read, Server, Told

pytestmark = pytest.mark.enable_socket

SEED = os.environ.get("QUERYWARDEN_SEED", "5")
COUNT = int(os.environ.get("QUERYWARDEN_STATEMENTS", "1500"))
CORPUS = Path(__file__).parents[1] / "corpus"
SHOWN_MAX = 5
LABELLED = Posture(labels={name: {key: tuple(of) for key, of in found.items()} for name, found in LABELS.items()})
FILTERS = (
    RowFilter(schema="public", relation="customers", sql="name <> 'Dana'"),
    RowFilter(schema="public", relation="cards", sql="id > 1"),
    RowFilter(schema="public", relation="wallets", sql="id > 1"),
)
FILTERED = Posture(labels=LABELLED.labels, filtered=tuple(f"public.{found.relation}" for found in FILTERS))


@dataclass
class World:
    """The twins' database without rows, and what is known of it."""

    conninfo: str
    server: Server
    texts: Sequence[str]
    asked: dict[str, Told | None] = field(default_factory=dict)

    @cached_property
    def catalog(self) -> Catalog:
        return build_catalog(read_rows(self.conninfo), LABELLED)

    @cached_property
    def filtered(self) -> Catalog:
        return build_catalog(read_rows(self.conninfo), FILTERED)

    def told(self, text: str) -> Told | None:
        if text not in self.asked:
            self.asked[text] = self.server.tell(text)
        return self.asked[text]

    def accepted(self) -> Iterator[tuple[str, Told]]:
        """Every statement the server accepts, and how it reads it."""
        for text in self.texts:
            told = self.told(text)
            if told is not None and told.trees:
                yield text, told


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    name = cluster.create_database()
    cluster.run(schema() + (CORPUS / "twins/schema.sql").read_text(encoding="utf-8"), name)
    with cluster.connect(name) as connection:
        vocabulary = read_vocabulary(connection)
    random = [text for number in range(COUNT) for text in script(vocabulary, SEED, number).statements]
    with psycopg.connect(cluster.conninfo(name, options=OPTIONS), autocommit=True) as connection:
        texts = tuple(dict.fromkeys([*corpora(), *random]))
        yield World(cluster.conninfo(name), Server(connection), texts)
    cluster.drop_database(name)


def corpora() -> Iterator[str]:
    for name in ("attacks", "benign"):
        for entry in yaml.safe_load((CORPUS / f"sql/{name}.yaml").read_text(encoding="utf-8")):
            yield from entry["sql"]
    for case in postgres_cases():
        yield from case.statements(Path("/nowhere"), 1)


def one(text: str, catalog: Catalog, posture: Posture) -> Understood | None:
    """The statement of a text; None where there is none, or one that is refused before policy is asked."""
    found = understand(text, catalog, Scope(search_path=("public",), posture=posture))
    if len(found) != 1 or any(hazard.code == "statement.unanalysable" for hazard in found[0].statement.hazards):
        return None
    return found[0]


def unknown(told: Told, understood: Understood, catalog: Catalog) -> Iterator[str]:
    """What the server reads, writes or calls in a statement that its facts do not say."""
    ours = {reference.oid for reference in understood.references}
    for oid in set(told.relations()) - ours:
        if oid in catalog.relations or None not in ours:
            yield f"relation {catalog.relations[oid].qualified if oid in catalog.relations else oid}"
    columns = {(found.schema, found.relation, found.name) for found in understood.statement.columns}
    yield from (f"column {'.'.join(place)}" for place in places(told, catalog) if place not in columns)
    functions = {(found.schema, found.name) for found in understood.statement.functions}
    yield from (f"call of {'.'.join(name)}" for name in calls(told, catalog) if name not in functions)


def places(told: Told, catalog: Catalog) -> Iterator[tuple[str, str, str]]:
    for oid, attnum, _ in told.columns():
        relation = catalog.relations.get(oid)
        for column in relation.columns if relation else ():
            if attnum in {0, column.attnum} and relation is not None:
                yield relation.schema, relation.name, column.name


def calls(told: Told, catalog: Catalog) -> Iterator[tuple[str, str]]:
    for oid in told.functions():
        yield catalog.functions[oid].schema, catalog.functions[oid].name
    used = set(told.operators())
    for operator in catalog.operators:
        if operator.oid in used and operator.schema != "pg_catalog":
            yield operator.schema, operator.name


def test_the_server_reads_nothing_that_the_facts_do_not_say(world: World) -> None:
    found = []
    for text, told in world.accepted():
        understood = one(text, world.catalog, LABELLED)
        if understood is None or rules.refusals(understood.statement, LABELLED):
            continue
        found += [f"{text}\n  {missing}" for missing in unknown(told, understood, world.catalog)]
    assert not found, f"{len(found)}:\n" + "\n".join(found[:SHOWN_MAX])


def test_what_the_server_accepts_is_read_by_us(world: World) -> None:
    unread = [text for text, _ in world.accepted() if text.strip(" ;\n") and one(text, world.catalog, LABELLED) is None]
    assert unread == []


def raw_reads(world: World, catalog: Catalog, posture: Posture, filters: Sequence[RowFilter]) -> Iterator[str]:
    """Texts the gateway would send in which the agent's part reads what it must not, in the server's own reading."""
    for text, _ in world.accepted():
        understood = one(text, catalog, posture)
        if understood is None or rules.refusals(understood.statement, posture):
            continue
        try:
            plan = rewrite(understood, rules.obligations(understood.statement, filters), catalog, posture)
        except Refused:
            continue
        told = world.told(plan.text)
        for read in told.reads() if told else ():
            written = plan.edited is not None and plan.edited.origin(read.place) is None
            if not written and (hidden := _hidden(catalog, read, plan.text, filters)):
                yield f"{text}\n  {plan.text}\n  {hidden} at {read.place}"


def _hidden(catalog: Catalog, read: Read, sent: str, filters: Sequence[RowFilter]) -> str:
    """What a read shows that it must not. A filtered target may be read once its filter has been added."""
    relation = catalog.relations.get(read.relation)
    if relation is None:
        return ""
    behind = read.target and any(f"({found.sql})" in sent for found in filters if found.relation == relation.name)
    if filters and relation.filtered and not behind:
        return relation.qualified
    labelled = [column.name for column in relation.columns if column.labels and read.attnum in {0, column.attnum}]
    return f"{relation.qualified} {labelled}" if labelled else ""


def test_no_column_of_card_data_is_read_but_in_what_the_gateway_wrote(world: World) -> None:
    found = list(raw_reads(world, world.catalog, LABELLED, ()))
    assert not found, f"{len(found)}:\n" + "\n".join(found[:SHOWN_MAX])


def test_no_filtered_relation_is_read_but_behind_its_fence(world: World) -> None:
    found = list(raw_reads(world, world.filtered, FILTERED, FILTERS))
    assert not found, f"{len(found)}:\n" + "\n".join(found[:SHOWN_MAX])


def test_enough_statements_were_compared_to_show_something(world: World) -> None:
    compared = [told for _, told in world.accepted() if any(True for _ in told.relations())]
    assert len(compared) > len(world.texts) * 0.4
    planned = [text for text, _ in world.accepted() if not _refused(world, text)]
    assert len(planned) > len(world.texts) * 0.4


def _refused(world: World, text: str) -> bool:
    understood = one(text, world.catalog, LABELLED)
    return understood is None or bool(rules.refusals(understood.statement, LABELLED))


def test_the_server_sees_what_a_reader_could_miss(world: World) -> None:
    """The comparison itself finds what is left out."""
    text = "SELECT c.pan, lower(c.brand) FROM cards c"
    told = world.told(text)
    assert told is not None
    other = one("SELECT c.brand FROM cards c", world.catalog, LABELLED)
    assert other is not None
    assert list(unknown(told, other, world.catalog)) == [
        "column public.cards.pan",
        "call of pg_catalog.lower",
    ]
    assert [(read.attnum, read.place) for read in told.reads()] == [(3, 7), (7, 20)]
