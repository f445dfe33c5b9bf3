"""What a suite's run said of each test, and what became different through the gateway."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

HERE = Path(__file__).parent
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
Outcomes = Mapping[str, str]
_TEMPORARY = re.compile(r"(/tmp/\w*?)\d+(?=/)")
"""a folder in the name of a Go test; its number is another in each run"""
_SERVER = re.compile(r"_postgresql\+\w+$")
"""what SQLAlchemy adds to the name of a class: driver and server version"""


def of_go(lines: Iterable[str]) -> dict[str, str]:
    """From `go test -json`: package, test, outcome. A test that never ended has failed; subtests are tests."""
    found: dict[str, str] = {}
    names = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED, "run": FAILED}
    for line in lines:
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        if event.get("Test") and event["Action"] in names:
            package = event["Package"].removeprefix("github.com/jackc/pgx/v5").lstrip("/")
            test = _TEMPORARY.sub(r"\1", json.dumps(event["Test"])[1:-1])
            found[f"{package}:{test}"] = names[event["Action"]]
    return found


def of_junit(path: Path) -> dict[str, str]:
    """From pytest's JUnit file. What is reported twice (a test and its teardown) takes the worse outcome."""
    found: dict[str, str] = {}
    for case in ET.parse(path).iter("testcase"):  # noqa: S314 - written by the run this process started
        group = _SERVER.sub("", case.get("classname", ""))
        name = f"{group}:{json.dumps(case.get('name', ''))[1:-1]}"
        children = {child.tag for child in case}
        outcome = FAILED if children & {"failure", "error"} else SKIPPED if "skipped" in children else PASSED
        found[name] = FAILED if FAILED in {outcome, found.get(name)} else outcome
    return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """One suite, directly and through the gateway."""

    suite: str
    direct: Outcomes
    through: Outcomes
    reasons: Mapping[str, str]

    @property
    def passed(self) -> list[str]:
        """The tests that pass directly: what is measured."""
        return [name for name, outcome in self.direct.items() if outcome == PASSED]

    @property
    def lost(self) -> list[str]:
        """Those of them that do not pass through the gateway."""
        return sorted(name for name in self.passed if self.through.get(name) != PASSED)

    @property
    def unexplained(self) -> list[str]:
        """Lost, and no line of the list of expected differences says why."""
        return [name for name in self.lost if self.reason(name) is None]

    @property
    def share(self) -> float:
        """Of what passes directly, the part that passes through the gateway, explained or not."""
        return 1 - len(self.lost) / max(1, len(self.passed))

    def reason(self, name: str) -> str | None:
        """Of the test, or of a test it is part of: a test fails with its subtests and they with it."""
        for known, reason in self.reasons.items():
            if name == known or name.startswith((f"{known}/", f"{known}[")) or known.startswith(f"{name}/"):
                return reason
        return None

    def table(self) -> str:
        """For a person: the counts, then each difference with its reason."""
        counts = (
            f"{self.suite}: {len(self.passed)} of {len(self.direct)} tests pass directly; through the gateway "
            f"{len(self.passed) - len(self.lost)} ({self.share:.2%}); {len(self.lost) - len(self.unexplained)} "
            f"differences explained, {len(self.unexplained)} not"
        )
        return "\n".join([counts, *(f"  {name}: {self.reason(name) or 'UNEXPLAINED'}" for name in self.lost)])


def function_of(name: str) -> str:
    """The test function of a test, without its group, subtest and parameters."""
    return name.split(":", 1)[1].split("/", 1)[0].split("[", 1)[0]


def expected(suite: str) -> dict[str, str]:
    """Test → why it may differ, from `expected.yaml`, which groups the tests of one reason."""
    groups = yaml.safe_load((HERE / "expected.yaml").read_text(encoding="utf-8"))[suite] or []
    return {test: group["reason"] for group in groups for test in group["tests"]}


def baseline_of(suite: str) -> Path:
    """The stored outcomes of a direct run."""
    return HERE / "baseline" / f"{suite}.txt"


def read_baseline(suite: str) -> dict[str, str]:
    """Test → outcome, as `write_baseline` stored them."""
    found: dict[str, str] = {}
    outcome = group = ""
    for line in baseline_of(suite).read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            found[f"{group}:{line[1:]}"] = outcome
        else:
            outcome, _, group = line.partition(" ")
    return found


def write_baseline(suite: str, outcomes: Outcomes) -> None:
    """A line for each group and outcome, then its tests: sorted, so that a change of the baseline reads well."""
    sorted_names = sorted((*name.split(":", 1), outcome) for name, outcome in outcomes.items())
    lines = []
    for (group, outcome), tests in groupby(sorted(sorted_names, key=itemgetter(0, 2)), key=itemgetter(0, 2)):
        lines += [f"{outcome} {group}", *(f" {test}" for _, test, _ in tests)]
    baseline_of(suite).parent.mkdir(exist_ok=True)
    baseline_of(suite).write_text("\n".join(lines) + "\n", encoding="utf-8")
