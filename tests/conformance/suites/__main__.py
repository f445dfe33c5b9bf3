"""One suite, at the command line: `python -m tests.conformance.suites pgx [direct|through|both] [test …]`.

`direct` stores the baseline when no test is named. Reports stay in the folder that is printed first.
"""

import sys
import tempfile
from pathlib import Path

from tests.conformance.suites import outcomes, world
from tests.conformance.suites.run import SUITES, twice
from tests.support.postgres import running_cluster


def main(suite: str, way: str = "both", *tests: str) -> int:
    """0 when every difference is explained."""
    print(folder := Path(tempfile.mkdtemp(prefix=f"suite-{suite}-")), flush=True)  # noqa: T201
    found: dict[str, outcomes.Outcomes] = {}
    with running_cluster(world.SETTINGS) as cluster:
        for name, open_way in (("direct", world.directly), ("through", world.through)):
            if way in {name, "both"}:
                (folder / name).mkdir()
                with open_way(cluster, suite) as server:
                    if name == "direct" or tests:
                        found[name] = SUITES[suite](server, folder / name, *tests)
                    else:
                        direct = found.get("direct") or outcomes.read_baseline(suite)
                        found[name] = twice(suite, server, folder / name, direct)
    if "direct" in found and not tests:
        outcomes.write_baseline(suite, found["direct"])
    direct = found.get("direct") or outcomes.read_baseline(suite)
    if tests and "through" in found:
        direct = {name: outcome for name, outcome in direct.items() if name in found["through"]}
    seen = outcomes.Comparison(suite, direct, found.get("through", direct), outcomes.expected(suite))
    print(seen.table())  # noqa: T201
    return 1 if seen.unexplained else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
