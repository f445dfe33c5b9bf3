"""Every PostgreSQL case of the corpus through the gateway: attacks rebuild nothing, benign statements work as before.

Agents are granted everything but clear card data. Each case runs by the simple protocol, by the extended protocol with
text results, and with binary results. The direct run comes first: it shows that the attacks do leak.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import pytest

from tests.e2e.world import DIRECT_TWIN, TRUE, TWIN, World, comparable, databases, governed
from tests.support.cases import SHARED, Case, postgres_cases
from tests.support.postgres import Cluster
from tests.support.recover import Transcript, ways
from tests.support.transcripts import Mode

RUNNABLE = [case for case in postgres_cases() if not case.scripted]
ATTACKS = [case for case in RUNNABLE if not case.benign]
BENIGN = [case for case in RUNNABLE if case.benign]
MASKED = [case for case in ATTACKS if case.expected == "masked"]
RECOVERABLE = [case for case in ATTACKS if case.recover not in {"oracle", "none"}]
ORACLES = [case for case in ATTACKS if case.recover == "oracle"]
MODES = list(Mode)

BENIGN_EXCEPTIONS: Mapping[str, str] = MappingProxyType({})
"""Benign cases that are not answered as directly, each with its reason."""

MASKED_FLOOR = 0.80
"""The share of `masked` cases that return masked data rather than an error; the aim is 95 %."""

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
    with databases(cluster) as world:
        yield world


@pytest.fixture(scope="module")
def world(bare: World) -> Iterator[World]:
    with governed(bare) as world:
        yield world


def named(case: Case | Mode) -> str:
    return case.id if isinstance(case, Case) else case.name.lower()


every_mode = pytest.mark.parametrize("mode", MODES, ids=named)


def each(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=named)


@each(RECOVERABLE)
def test_connected_directly_the_attack_rebuilds_a_card_number(bare: World, case: Case) -> None:
    found = [ways(bare.direct(case, mode), timed=case.recover == "timing") for mode in MODES]
    assert any(found), "this case proves nothing"


@each(ORACLES)
def test_connected_directly_the_oracle_tells_hidden_digits_apart(bare: World, case: Case) -> None:
    answers = [bare.direct(case, Mode.SIMPLE), bare.direct(case, Mode.SIMPLE, DIRECT_TWIN)]
    assert (answers[0].flat != answers[1].flat) is (case.id not in BLIND_ORACLES)


@every_mode
@each(ATTACKS)
def test_nothing_is_recovered(world: World, case: Case, mode: Mode) -> None:
    seen = world.through(case, mode)
    assert ways(seen, timed=case.recover == "timing") == [], seen


@every_mode
@each(ATTACKS)
def test_the_answer_does_not_depend_on_hidden_digits(world: World, case: Case, mode: Mode) -> None:
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


def same(direct: Transcript, governed: Transcript) -> bool:
    """Equal rows and equal errors; notices may come in addition."""
    return direct.binary == governed.binary and errors(direct) == errors(governed)


def errors(seen: Transcript) -> list[str]:
    return [text for text in seen.text if text.startswith(("error: ", "login: ", "connection lost"))]


def test_benign_cases_are_answered_as_directly(world: World, say: Callable[[str], None]) -> None:
    different = {
        case.id: [(world.direct(case, mode), world.through(case, mode)) for mode in MODES]
        for case in BENIGN
        if not all(same(world.direct(case, mode), world.through(case, mode)) for mode in MODES)
    }
    say(f"benign cases answered as directly: {len(BENIGN) - len(different)} of {len(BENIGN)}")
    assert {name: different[name] for name in different if name not in BENIGN_EXCEPTIONS} == {}
    assert set(BENIGN_EXCEPTIONS) <= set(different), "an exception that is none any more"
    assert len(different) <= 0.1 * len(BENIGN)


def test_most_masked_cases_return_masked_data(world: World, say: Callable[[str], None]) -> None:
    refused = [case.id for case in MASKED if errors(world.through(case, Mode.SIMPLE))]
    share = 1 - len(refused) / len(MASKED)
    say(f"masked cases that return masked data: {share:.0%} of {len(MASKED)}; refused: {refused}")
    assert share >= MASKED_FLOOR
