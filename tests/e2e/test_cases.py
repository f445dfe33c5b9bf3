"""Every PostgreSQL case of the corpus through the gateway: attacks rebuild nothing, benign statements work as before.

Agents are granted everything but clear card data. Each case runs over libpq by the simple protocol, by the extended
protocol with text results, and with binary results; test_cases_by_client.py has the other clients. The direct run comes
first: it shows that the attacks do leak.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import pytest

from tests.e2e.world import DIRECT_TWIN, TRUE, TWIN, World, comparable, databases, governed
from tests.support.cases import SHARED, Case, postgres_cases
from tests.support.clients.client import Client, libpq
from tests.support.postgres import Cluster
from tests.support.recover import Transcript, ways
from tests.support.transcripts import Mode

RUNNABLE = [case for case in postgres_cases() if not case.scripted]
ATTACKS = [case for case in RUNNABLE if not case.benign]
RECOVERABLE = [case for case in ATTACKS if case.recover not in {"oracle", "none"}]
ORACLES = [case for case in ATTACKS if case.recover == "oracle"]
MODES = [libpq(mode) for mode in Mode]
SIMPLE = MODES[0]

BLIND_ORACLES: Mapping[str, str] = MappingProxyType(
    {
        "pg-expr-52": "shows the length, which the twin has too",
        "pg-expr-53": "shows the last four digits, which the twin has too",
        "pg-error-10": "shows a key that is no secret",
        "pg-error-12": "shows a key that is no secret",
        "pg-obj-29": "shows nothing, but stores the number",
    }
)
"""Oracles whose bit does not depend on the digits the twin changes."""


@pytest.fixture(scope="module")
def bare(cluster: Cluster) -> Iterator[World]:
    with databases(cluster, MODES) as world:
        yield world


@pytest.fixture(scope="module")
def world(bare: World) -> Iterator[World]:
    with governed(bare) as world:
        yield world


def named(case: Case | Client) -> str:
    return case.id if isinstance(case, Case) else case.name


every_mode = pytest.mark.parametrize("mode", MODES, ids=named)


def each(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=named)


@each(RECOVERABLE)
def test_connected_directly_the_attack_rebuilds_a_card_number(bare: World, case: Case) -> None:
    found = [ways(bare.direct(case, mode), timed=case.recover == "timing") for mode in MODES]
    assert any(found), "this case proves nothing"


@each(ORACLES)
def test_connected_directly_the_oracle_tells_hidden_digits_apart(bare: World, case: Case) -> None:
    answers = [bare.direct(case, SIMPLE), bare.direct(case, SIMPLE, DIRECT_TWIN)]
    assert (answers[0].flat != answers[1].flat) is (case.id not in BLIND_ORACLES)


@every_mode
@each(ATTACKS)
def test_nothing_is_recovered(world: World, case: Case, mode: Client) -> None:
    seen = world.through(case, mode)
    assert ways(seen, timed=case.recover == "timing") == [], seen


@every_mode
@each(ATTACKS)
def test_the_answer_does_not_depend_on_hidden_digits(world: World, case: Case, mode: Client) -> None:
    assert comparable(world.through(case, mode), TRUE) == comparable(world.through(case, mode, TWIN), TWIN)


@each([case for case in ATTACKS if case.writes])
def test_no_card_number_is_left_where_none_was(world: World, case: Case) -> None:
    for mode in MODES:
        world.through(case, mode)
    left = world.unlabelled_text(case)
    assert not ways(Transcript(text=[left])), left


@each(ATTACKS)
def test_the_authors_own_functions_recover_nothing_either(
    world: World, case: Case, authors: Mapping[str, Callable[[dict[str, object]], bool]]
) -> None:
    found = [
        name for mode in MODES for name, way in authors.items() if way(as_their_dictionary(world.through(case, mode)))
    ]
    assert found == []


@pytest.fixture(scope="module")
def authors(say: Callable[[str], None]) -> Mapping[str, Callable[[dict[str, object]], bool]]:
    """The authors' recover.py where it is present; elsewhere ours stands alone, and the output says so."""
    path = SHARED / "recover.py"
    if not path.exists():
        say("cases: the authors' recover.py is absent, only tests/support/recover.py was applied")
        return {}
    spec = importlib.util.spec_from_file_location("authors_recover", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {name: way for name, way in module.RECOVER.items() if way is not None and name != "timing"}


def as_their_dictionary(seen: Transcript) -> dict[str, object]:
    rows = [["" if value is None else value for value in row] for row in seen.rows]  # not all of theirs expect NULL
    return {"rows": rows, "bin": seen.binary, "text": seen.text, "file": seen.file, "elapsed": seen.elapsed}
