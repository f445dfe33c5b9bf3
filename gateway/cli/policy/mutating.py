"""`querywarden policy mutate`: every line of every rule is spoiled in turn, and a test must notice."""

import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Annotated, Final, NamedTuple

import msgspec
import yaml
from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.cli.audit.progress import Bar
from gateway.cli.policy.mutants import Mutant, mutants
from gateway.cli.policy.options import AsJson, Policies, Tests
from gateway.cli.policy.reporting import Check, report
from gateway.cli.policy.suite import NOT_LOADED, require_policy
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.policy.compiler import Opa
from gateway.policy.vectors import read_vectors

EXCEPTIONS: Final = "mutants.yaml"
"""beside the tests: name of a mutant that changes nothing → why"""
VECTORS_TEST: Final = """\
package querywarden_vectors_test

test_vectors if {
	every file in data.querywarden_vectors {
		every vector in file.vectors {
			data.gateway.main.decision == vector.decision with input as vector.input with data.site as file.site
		}
	}
}
"""
_TESTS_FAILED: Final = 2
_PACKAGE: Final = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_NOT_NEGATIVE: Final = Number(gte=0)


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    EXPLAINED = "explained"
    INVALID = "does not compile"


class Tried(NamedTuple):
    """A mutant and its fate."""

    mutant: Mutant
    fate: Fate


def mutate(
    *,
    policies: Policies = Path("policies"),
    tests: Tests = Path("rego_tests"),
    only: Annotated[str, Parameter(help="Only files whose path has this in it.")] = "",
    processes: Annotated[int, Parameter(validator=_NOT_NEGATIVE, help="0: one for each processor.")] = 0,
    as_json: AsJson = False,
) -> int:
    """Drop or negate each line of each rule and see that a test or a vector fails. Exits 1 when one goes unnoticed."""
    require_policy(policies)
    known = exceptions(tests)
    found = [
        each
        for path in sorted((policies / "gateway").rglob("*.rego"))
        if only in path.as_posix()
        for each in mutants(path.relative_to(policies).as_posix(), path.read_text("utf-8"))
    ]
    bar = Bar(sys.stderr, SystemClock(), "mutants")
    tried: list[Tried] = []
    for each in trials(Opa.find(), policies, tests, found, processes or len(os.sched_getaffinity(0))):
        explained = each.fate is Fate.SURVIVED and each.mutant.name in known
        tried.append(Tried(each.mutant, Fate.EXPLAINED) if explained else each)
        bar(len(tried), len(found))
    bar.clear()
    return report([score(tried)], as_json=as_json)


def score(tried: list[Tried]) -> Check:
    """The share that was noticed, and what was not."""
    counts = Counter(each.fate for each in tried)
    valid = len(tried) - counts[Fate.INVALID]
    survivors = sorted((each.mutant for each in tried if each.fate is Fate.SURVIVED), key=lambda m: (m.file, m.line))
    noticed = valid - counts[Fate.SURVIVED] - counts[Fate.EXPLAINED]
    share = 100 * noticed / (valid - counts[Fate.EXPLAINED]) if valid > counts[Fate.EXPLAINED] else 0.0
    text = (
        f"{share:.1f} % of {valid - counts[Fate.EXPLAINED]} noticed; "
        f"{counts[Fate.EXPLAINED]} explained, {counts[Fate.INVALID]} do not compile"
    )
    lines = [f"{each.file}:{each.line}: {each.what}: {each.text}" for each in survivors]
    return Check(name="mutation", ok=not survivors and noticed > 0, said="\n".join([text, *lines]))


def exceptions(tests: Path) -> dict[str, str]:
    """Mutants that no test can notice, with the reason. Raises ConfigError."""
    path = tests / EXCEPTIONS
    if not path.is_file():
        return {}
    try:
        return msgspec.convert(yaml.safe_load(path.read_bytes()) or {}, dict[str, str])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise ConfigError("config.invalid", f"{path}:1: {error}") from None


def trials(opa: Opa, policies: Path, tests: Path, found: list[Mutant], processes: int) -> Iterator[Tried]:
    """Each tried in a copy of the policy; as many copies as processes."""
    with TemporaryDirectory(prefix="querywarden-mutants-") as folder, ThreadPoolExecutor(processes) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(processes):
            copies.put(copied(policies, tests, Path(folder) / str(number)))
        sound(opa, Path(folder) / "0")

        def attempt(mutant: Mutant) -> Tried:
            place = copies.get()
            try:
                return Tried(mutant, fate(opa, place, mutant))
            finally:
                copies.put(place)

        yield from pool.map(attempt, found)


def copied(policies: Path, tests: Path, place: Path) -> Path:
    """The policy, its tests, and a test that asks all vectors."""
    shutil.copytree(policies, place / "policies", ignore=shutil.ignore_patterns(*NOT_LOADED))
    shutil.copytree(tests, place / "tests", ignore=shutil.ignore_patterns(*NOT_LOADED))
    (place / "vectors" / "querywarden_vectors").mkdir(parents=True)
    files = {name: msgspec.json.decode(raw) for name, raw in read_vectors(tests / "vectors").items()}
    (place / "vectors" / "querywarden_vectors" / "data.json").write_bytes(msgspec.json.encode(files))
    (place / "vectors" / "vectors_test.rego").write_text(VECTORS_TEST, encoding="utf-8")
    return place


def sound(opa: Opa, place: Path) -> None:
    """Raise ConfigError unless everything passes before anything is spoiled: else every mutant would seem noticed."""
    for folder in ("tests", "vectors"):
        answer = opa.run("test", place / "policies", place / folder, "--timeout", "60s")
        if answer.code:
            raise ConfigError("config.invalid", f"the {folder} fail already: {answer.said}")


def fate(opa: Opa, place: Path, mutant: Mutant) -> Fate:
    """Its package's own tests first, which are quick and notice most; then the vectors, then all tests."""
    path = place / "policies" / mutant.file
    good = path.read_text("utf-8")
    path.write_text(mutant.source, encoding="utf-8")
    own = ("--run", rf"^data\.{re.escape(package_of(mutant.source))}_test\.")
    try:
        for folder, some in (("tests", own), ("vectors", ()), ("tests", ())):
            answer = opa.run("test", place / "policies", place / folder, *some, "--parallel", "1", "--timeout", "60s")
            if answer.code == _TESTS_FAILED:
                return Fate.KILLED
            if answer.code:
                return Fate.INVALID
        return Fate.SURVIVED
    finally:
        path.write_text(good, encoding="utf-8")


def package_of(source: str) -> str:
    """The package that a module declares; empty when it declares none."""
    found = _PACKAGE.search(source)
    return found[1] if found else ""
