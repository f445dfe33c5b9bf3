"""All checks of the rules in order, and one block of figures at the end: `python -m tools.policy_check`.

Stops at the first step that fails, and says in the block which steps were not reached. regal is asked when it could be
built. `--inputs` and `--quick` (no mutation) are for a short look.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = str(Path(sys.executable).with_name("querywarden"))
REGAL = ROOT / "tools/bin/regal"
LINTED = ("policies/gateway", "policies/meta", "policies/config")


class Step(NamedTuple):
    """A command, and the lines of what it prints that are figures: name in the block → pattern with one group."""

    name: str
    command: Sequence[str]
    figures: dict[str, str]


class Ran(NamedTuple):
    """How a step ended."""

    step: Step
    code: int
    out: str
    seconds: float


def steps(inputs: int, *, quick: bool) -> list[Step]:
    """All of them, in the order in which a failure is easiest to mend."""
    python = sys.executable
    linted = [str(REGAL), "lint", "--config-file", "policies/regal.yaml", *LINTED]
    found = [
        Step(
            "check",
            [PROGRAM, "policy", "check"],
            {
                "rules": r"compile: (.*)",
                "requirements": r"requirements: (.*)",
                "tests": r"tests: (.*)",
                "coverage": r"coverage: (.*)",
            },
        ),
        Step("regal", linted, {"regal": r"(\d+ files? linted\. .*)"}),
        Step("bundles", [python, "-m", "tools.bundles", "--check"], {}),
        Step(
            "verify",
            [PROGRAM, "policy", "verify", "bundles/demo/bundle.tar.gz", "--key", "bundles/demo/policy.pub"],
            {},
        ),
        Step(
            "engines",
            [python, "-m", "tools.equality", "--inputs", str(inputs)],
            {
                "engines": r"three engines\s+(.*?):",
                "vectors": r"(\d+) vectors",
                "fuzz": r"vectors, (.*)",
            },
        ),
        Step("mutation", [PROGRAM, "policy", "mutate"], {"mutation": r"mutation: (.*)"}),
    ]
    return [
        step for step in found if not (quick and step.name == "mutation") and (step.name != "regal" or REGAL.exists())
    ]


def run(step: Step) -> Ran:
    """Run it; what it prints is shown as it comes."""
    began, lines = monotonic(), []
    with subprocess.Popen(step.command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            sys.stdout.write(line)
            sys.stdout.flush()
            lines.append(line)
    return Ran(step, process.returncode, "".join(lines), monotonic() - began)


def in_order(wanted: Sequence[Step], runner: Callable[[Step], Ran] = run) -> list[Ran]:
    """Each, up to the first that fails."""
    done: list[Ran] = []
    for step in wanted:
        done.append(runner(step))
        if done[-1].code:
            break
    return done


def block(wanted: Sequence[Step], done: Sequence[Ran]) -> str:
    """The figures of all steps, and one last word."""
    rows = [row for ran in done for row in _rows(ran)]
    rows += [(step.name, "not reached") for step in wanted[len(done) :]]
    failed = [ran.step.name for ran in done if ran.code]
    took = sum(ran.seconds for ran in done)
    rows.append(("policy-check", f"FAILED at {failed[0]}" if failed else f"green in {took:.0f} s"))
    width = max(len(name) for name, _ in rows) + 2
    return "\n".join(["", *(f"{name:<{width}}{text}" for name, text in rows)]) + "\n"


def _rows(ran: Ran) -> list[tuple[str, str]]:
    said = {name: re.search(pattern, ran.out) for name, pattern in ran.step.figures.items()}
    rows = [(name, match[1]) for name, match in said.items() if match]
    if not ran.step.figures or (ran.code and not rows):
        rows.append((ran.step.name, f"exit code {ran.code}" if ran.code else "as it should be"))
    return rows


def main() -> int:
    """Run, and say what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    wanted = steps(arguments.inputs, quick=arguments.quick)
    done = in_order(wanted)
    sys.stdout.write(block(wanted, done))
    return 1 if any(ran.code for ran in done) else 0


if __name__ == "__main__":
    sys.exit(main())
