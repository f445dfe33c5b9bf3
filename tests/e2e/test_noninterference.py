"""Non-interference by property: random statements are answered alike on databases that differ in protected values only.

Both databases look the same through masks (tests/corpus/twins); agents may do everything but see a protected value. The
statements are random and reproducible: QUERYWARDEN_SEED chooses them, QUERYWARDEN_STATEMENTS says how many scripts.
"""

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from tests.support.gateway import Upstream, running_gateway
from tests.support.generator.statements import Script, script
from tests.support.generator.twins import SIDES, Session, comparable, connection_name, error, site, twin_databases
from tests.support.generator.vocabulary import Vocabulary, read_vocabulary
from tests.support.postgres import Cluster
from tests.support.recover import Transcript, holds_card, ways

SEED = os.environ.get("QUERYWARDEN_SEED", "4")
COUNT = int(os.environ.get("QUERYWARDEN_STATEMENTS", "1500"))
DIRECT_COUNT = 150
SHOWN_MAX = 5
ROLE = "agent_rw"
GATHERED = frozenset({"digits among others", "split over columns", "split over rows"})
"""Ways that put digits of many cells together: with random cells they find a number by chance."""
FIGURES = re.compile(r"(rows|cost|width|loops)=|Plan (Rows|Width)|Actual Rows|Memory|Hits: |Group Count")
"""What EXPLAIN says of the planner's expectations and of what it found."""


@dataclass(slots=True)
class Findings:
    """What a run of scripts showed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    recovered: list[str] = field(default_factory=list)

    def note(self, made: Script, seen: Mapping[str, Transcript]) -> None:
        """Compare both sides of one script."""
        self.outcomes[outcome(seen["true"])] += 1
        true, twin = (comparable(seen[side], side) for side in SIDES)
        if true != twin:
            self.differing.append(difference(made, true, twin))
        literal = any(holds_card(text) for text in made.statements)
        if not literal and set(ways(seen["true"])) - GATHERED:
            self.recovered.append(f"{made}: {ways(seen['true'])}")

    def assert_alike(self, about: re.Pattern[str] | None = None) -> None:
        """No answers differ, or, with `about`, none in what the pattern finds."""
        different = [text for text in self.differing if about is None or about.search(text)]
        shown = "\n".join(different[:SHOWN_MAX])
        assert not different, f"{len(different)} differ:\n{shown}"

    def share(self, name: str) -> float:
        return self.outcomes[name] / max(1, self.outcomes.total())


def outcome(seen: Transcript) -> str:
    """Whether a script was answered, refused by the gateway, or failed in the server."""
    found = error(seen)
    if not found:
        return "answered"
    return "refused" if "; decision " in found else "failed"


def difference(made: Script, true: str, twin: str) -> str:
    """The lines that are not on both sides."""
    ours, theirs = true.split("\n"), twin.split("\n")
    only = [[line[:400] for line in one if line not in other][:3] for one, other in ((ours, theirs), (theirs, ours))]
    return f"script {made.number} of seed {SEED}: {made.statements}\n  true: {only[0]}\n  twin: {only[1]}"


def run(vocabulary: Vocabulary, conninfo: Callable[[str], str], count: int, *, explained: bool = False) -> Findings:
    found = Findings()
    sessions = {side: Session(conninfo(side), side) for side in SIDES}
    for number in range(count):
        made = script(vocabulary, SEED, number, explained=explained)
        found.note(made, {side: session.run(made) for side, session in sessions.items()})
    for session in sessions.values():
        session.close()
    return found


def through_a_gateway(
    cluster: Cluster, databases: Mapping[str, str], vocabulary: Vocabulary, count: int, *, explained: bool = False
) -> Findings:
    connections = {connection_name(side): Upstream(name, ROLE) for side, name in databases.items()}
    with running_gateway(cluster, connections, site()) as gateway:
        return run(vocabulary, lambda side: gateway.conninfo(connection_name(side)), count, explained=explained)


@pytest.fixture(scope="module")
def databases(cluster: Cluster) -> Iterator[Mapping[str, str]]:
    with twin_databases(cluster, analyzed=False) as sides:
        yield sides


@pytest.fixture(scope="module")
def vocabulary(cluster: Cluster, databases: Mapping[str, str]) -> Vocabulary:
    with cluster.connect(databases["true"]) as connection:
        return read_vocabulary(connection)


@pytest.fixture(scope="module")
def governed(cluster: Cluster, databases: Mapping[str, str], vocabulary: Vocabulary) -> Findings:
    """Every script through the gateway."""
    return through_a_gateway(cluster, databases, vocabulary, COUNT)


@pytest.mark.timeout(120 + COUNT)
def test_random_statements_are_answered_alike_whatever_hides_behind_the_masks(
    governed: Findings, say: Callable[[str], None]
) -> None:
    shares = ", ".join(f"{governed.share(name):.0%} {name}" for name in ("answered", "refused", "failed"))
    say(f"non-interference: {COUNT} random scripts of seed {SEED}: {shares}; {len(governed.differing)} answers differ")
    governed.assert_alike()


def test_no_random_statement_brings_a_card_number_back(governed: Findings) -> None:
    assert governed.recovered[:SHOWN_MAX] == []


def test_random_statements_are_answered_often_enough_to_show_something(governed: Findings) -> None:
    assert governed.share("answered") > 0.4


@pytest.mark.timeout(120 + COUNT)
def test_explain_says_nothing_of_the_statistics_of_hidden_values(cluster: Cluster, vocabulary: Vocabulary) -> None:
    with twin_databases(cluster, analyzed=True) as databases:
        found = through_a_gateway(cluster, databases, vocabulary, max(100, COUNT // 10), explained=True)
    found.assert_alike(FIGURES)  # the plan itself follows statistics: see twin_databases
    assert found.share("answered") > 0.4


def test_connected_directly_random_statements_tell_the_databases_apart(
    cluster: Cluster, databases: Mapping[str, str], vocabulary: Vocabulary
) -> None:
    direct = run(vocabulary, lambda side: cluster.conninfo(databases[side], ROLE), DIRECT_COUNT)
    assert len(direct.differing) > DIRECT_COUNT * 0.15, "these statements would show nothing"
