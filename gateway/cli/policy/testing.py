"""`querywarden policy test`: the tests of a policy, and how much of it they reach."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.reporting import report
from gateway.cli.policy.suite import covered, require_policy, tested
from gateway.policy.compiler import Opa


def run_tests(
    *,
    policies: Path = Path("policies"),
    tests: Path = Path("rego_tests"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run the tests. Exits 1 when one fails, when there is none, or when a line is not reached.

    Parameters
    ----------
    policies
        The folder with gateway/.
    tests
        The folder with the tests of the rules.
    as_json
        Print the findings as JSON.

    """
    require_policy(policies)
    opa = Opa.find()
    return report([tested(opa, policies, tests), covered(opa, policies, tests)], as_json=as_json)
