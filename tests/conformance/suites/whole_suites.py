"""Suites that others wrote pass through a gateway in open posture as they pass directly, but for named differences.

Not called `test_…`: it takes half an hour, so `make conformance` names it and `make test` does not find it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance.suites import outcomes, world
from tests.conformance.suites.run import SUITES, twice
from tests.support.postgres import running_cluster

ENOUGH = 0.97
"""of what passes directly, explained or not"""
STEADY = 0.99
"""of what the stored direct run has passed: a suite that ran half its tests has proved nothing"""


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("suite", SUITES)
def test_what_passes_directly_passes_through_the_gateway(
    suite: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    for name in ("direct", "through"):
        (tmp_path / name).mkdir()
    with running_cluster(world.SETTINGS) as cluster:
        with world.directly(cluster, suite) as server:
            direct = SUITES[suite](server, tmp_path / "direct")
        with world.through(cluster, suite) as server:
            through = twice(suite, server, tmp_path / "through", direct)
    seen = outcomes.Comparison(suite, direct, through, outcomes.expected(suite))
    record_property("table", seen.table())
    print(seen.table())  # noqa: T201 -- for whoever runs it
    stored = [name for name, outcome in outcomes.read_baseline(suite).items() if outcome == outcomes.PASSED]
    assert len(set(stored) & set(seen.passed)) >= STEADY * len(stored), "the direct run differs from the stored one"
    assert seen.unexplained == [], seen.table()
    assert seen.share >= ENOUGH, seen.table()
