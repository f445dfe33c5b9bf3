"""Every PostgreSQL case over the clients that agents use: nothing is recovered, and what may be answered is answered.

A case that needs its own bytes on the wire is in test_scripted_cases.py. Oracles run on the twin database too; with
QUERYWARDEN_CASES=all every attack does, over every client.
"""

import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.e2e.world import TRUE, TWIN, World, answered, comparable, databases, errors, governed, same
from tests.support.bundle import CASE_LABELS, Site, everything_but_clear
from tests.support.cases import postgres_cases
from tests.support.clients import asyncpg_client, pgjdbc, psql, psycopg_client
from tests.support.clients.client import Client, libpq
from tests.support.postgres import Cluster
from tests.support.recover import ways
from tests.support.transcripts import Mode

RUNNABLE = [case for case in postgres_cases() if not case.scripted]
ATTACKS = [case for case in RUNNABLE if not case.benign]
BENIGN = [case for case in RUNNABLE if case.benign]
MASKED = [case for case in ATTACKS if case.expected == "masked"]
ORACLES = [case for case in ATTACKS if case.recover == "oracle"]
TRIGGERED = [case for case in RUNNABLE if case.id in {"pg-obj-12", "pg-obj-14", "pg-obj-17"}]
"""They update `cards`, whose trigger copies the row: refused until the operator lists the trigger."""

MASKED_FLOOR, BENIGN_FLOOR = 0.95, 0.97

NAMES = (
    *(f"libpq, {mode.value}" for mode in Mode),
    "psql -c",
    "psql \\gdesc \\bind",
    "psql FETCH_COUNT",
    "psycopg, text",
    "psycopg, binary",
    "psycopg, named cursor",
    "psycopg, pipeline",
    "asyncpg, fetch",
    "asyncpg, cursor",
    *(f"pgjdbc, {mode}" for mode in pgjdbc.MODES),
)
every_client = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def clients() -> Iterator[Sequence[Client]]:
    with pgjdbc.virtual_machine() as java:
        yield [
            *(libpq(mode) for mode in Mode),
            psql.strings(),
            psql.bound(),
            psql.counted(),
            psycopg_client.text(),
            psycopg_client.binary(),
            psycopg_client.server_cursor(),
            psycopg_client.pipeline(),
            asyncpg_client.fetch(),
            asyncpg_client.cursor(),
            *java,
        ]


@pytest.fixture(scope="module")
def world(cluster: Cluster, clients: Sequence[Client]) -> Iterator[World]:
    with databases(cluster, clients) as bare, governed(bare) as world:
        yield world


def listing_the_trigger(connections: Sequence[str]) -> Site:
    """The operator lets the trigger run, and labels the table it fills."""
    labels = {**CASE_LABELS, "public.audit_log": {"row_data": ["pan", "cvv"]}}
    allowed = everything_but_clear(*connections, triggers={"allow": ["public.cards.cards_audit"]})
    return Site(dict.fromkeys(connections, labels), allowed.access)


@pytest.fixture(scope="module")
def listed(cluster: Cluster, clients: Sequence[Client]) -> Iterator[World]:
    with databases(cluster, clients) as bare, governed(bare, TRIGGERED, listing_the_trigger) as world:
        yield world


@pytest.fixture
def client(clients: Sequence[Client], name: str) -> Client:
    return next(client for client in clients if client.name == name)


def test_every_client_is_named(clients: Sequence[Client]) -> None:
    assert tuple(client.name for client in clients) == NAMES


@every_client
def test_nothing_is_recovered(world: World, client: Client) -> None:
    found = {case.id: ways(world.through(case, client)) for case in ATTACKS}
    assert {name: how for name, how in found.items() if how} == {}


@every_client
def test_no_answer_depends_on_hidden_digits(world: World, client: Client) -> None:
    asked = ATTACKS if os.environ.get("QUERYWARDEN_CASES") == "all" else ORACLES
    seen = {case.id: [world.through(case, client, side) for side in (TRUE, TWIN)] for case in asked}
    assert {name: both for name, both in seen.items() if comparable(both[0], TRUE) != comparable(both[1], TWIN)} == {}


@every_client
def test_benign_cases_are_answered_as_directly(world: World, client: Client, say: Callable[[str], None]) -> None:
    seen = {case.id: (world.direct(case, client), world.through(case, client)) for case in BENIGN}
    different = {name: both for name, both in seen.items() if not same(*both)}
    say(f"benign cases answered as directly over {client.name}: {len(BENIGN) - len(different)} of {len(BENIGN)}")
    assert len(different) <= (1 - BENIGN_FLOOR) * len(BENIGN), different


@every_client
def test_masked_cases_return_masked_data(
    world: World, listed: World, client: Client, say: Callable[[str], None]
) -> None:
    """Counted where the client can run the case at all, connected directly."""
    able = [case for case in MASKED if answered(world.direct(case, client))]
    refused = [case.id for case in able if not answered((listed if case in TRIGGERED else world).through(case, client))]
    share = 1 - len(refused) / len(able)
    say(f"masked cases answered with masked data over {client.name}: {share:.0%} of {len(able)}; refused: {refused}")
    assert share >= MASKED_FLOOR, [(name, world.seen[TRUE, name, client.name]) for name in refused]


@every_client
def test_a_trigger_that_copies_rows_is_refused_until_it_is_listed(world: World, client: Client) -> None:
    told = {case.id: errors(world.through(case, client)) for case in TRIGGERED}
    assert [name for name, said in told.items() if "statement.hidden_code" not in "".join(said)] == []


@every_client
def test_a_listed_trigger_tells_nothing_either(world: World, listed: World, client: Client) -> None:
    for case in (case for case in TRIGGERED if answered(world.direct(case, client))):
        true, twin = (listed.through(case, client, side) for side in (TRUE, TWIN))
        assert ways(true) == [], (case.id, true)
        assert comparable(true, TRUE) == comparable(twin, TWIN), case.id
        assert errors(true) == [], case.id
        assert "notification" not in true.flat, case.id
    copies = listed.unlabelled_text(TRIGGERED[0])
    assert "4111111111111111" in copies, "the trigger did not run"
