"""`querywarden policy check`: everything that must hold of a policy before it may be a bundle."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.reporting import report
from gateway.cli.policy.suite import run_suite
from gateway.policy.compiler import Opa


def check(
    *,
    policies: Path = Path("policies"),
    tests: Path = Path("rego_tests"),
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Check schemas, format, types, compilation, rules about rules, tests and their coverage. Exits 1 when one fails.

    Parameters
    ----------
    policies
        The folder with gateway/, schema/ and capabilities.json.
    tests
        The folder with the tests of the rules.
    as_json
        Print the findings as JSON.

    """
    return report(list(run_suite(Opa.find(), policies, tests)), as_json=as_json)
