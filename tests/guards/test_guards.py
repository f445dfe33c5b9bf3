"""Each guard that is switched off is noticed by some test, or is explained by the guard that says no in its place.

Every fourth mutation of the table runs by default; QUERYWARDEN_GUARDS=1 runs all of them, as `make guards` does.
"""

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.guards.run import ROOT
from tests.guards.table import ALL, COVERED

EVERY = os.environ.get("QUERYWARDEN_GUARDS", "4")


def test_the_table_fits_the_source() -> None:
    stale = []
    for mutation in ALL:
        source = (ROOT / mutation.file).read_text(encoding="utf-8")
        try:
            changed = mutation.applied(source)
            if mutation.file.endswith(".py"):
                compile(changed, mutation.file, "exec")
        except (ValueError, SyntaxError) as error:
            stale.append(f"{mutation.file}: {error}")
    assert stale == [], "a guard was rewritten: let the table in tests/guards follow"


def test_no_name_stands_twice_and_every_explanation_is_of_one() -> None:
    names = Counter(mutation.name for mutation in ALL)
    assert [name for name, count in names.items() if count > 1] == []
    assert set(COVERED) <= set(names)


def test_every_mutation_names_tests_that_are_there() -> None:
    files = {test for mutation in ALL for test in mutation.tests if test.endswith(".py")}
    assert [name for name in sorted(files) if not (ROOT / "tests" / name).is_file()] == []
    assert all(mutation.tests or mutation.file.startswith("policies/") for mutation in ALL)


@pytest.mark.timeout(900)
def test_every_guard_that_is_switched_off_is_noticed() -> None:
    command = [sys.executable, "-m", "tests.guards", "--every", EVERY]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=800)
    wrong = [line for line in done.stdout.splitlines() if not line.startswith(("killed", "covered"))]
    assert done.returncode == 0, "\n".join(wrong)[-4000:] + done.stderr[-2000:]
