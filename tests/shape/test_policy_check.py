"""`make policy-check` says every figure in one block, and stops where something is wrong."""

import sys

from tools.policy_check import Ran, Step, block, in_order, run, steps

COUNT = Step("count", ["count"], {"tests": r"tests: (.*)", "coverage": r"coverage: (.*)"})
BUILD = Step("build", ["build"], {})
SAID = {"count": "ok tests: PASS: 7/7\nok coverage: 100 %\n", "build": ""}


def runner(failing: str = "") -> "list[str]":
    wanted = [COUNT, BUILD]
    done = in_order(wanted, lambda step: Ran(step, int(step.name == failing), SAID[step.name], 2.0))
    return [" ".join(line.split()) for line in block(wanted, done).strip().splitlines()]


def test_the_block_says_every_figure() -> None:
    assert runner() == ["tests PASS: 7/7", "coverage 100 %", "build as it should be", "policy-check green in 4 s"]


def test_the_first_failure_is_the_last_step() -> None:
    assert runner("count") == ["tests PASS: 7/7", "coverage 100 %", "build not reached", "policy-check FAILED at count"]
    assert runner("build")[-2:] == ["build exit code 1", "policy-check FAILED at build"]


def test_what_a_step_prints_is_shown_and_kept() -> None:
    ran = run(
        Step("print", [sys.executable, "-c", "print('tests: 3'); raise SystemExit(4)"], {"tests": r"tests: (.*)"})
    )
    assert (ran.code, ran.out) == (4, "tests: 3\n")


def test_a_quick_look_leaves_the_mutation_out() -> None:
    assert [step.name for step in steps(5, quick=False)][-1] == "mutation"
    assert [step.name for step in steps(5, quick=True)][-1] == "engines"
