"""`querywarden policy check`: everything that must hold of a policy before it may be a bundle."""

from pathlib import Path

from gateway.cli.policy.options import AsJson, Policies, Tests
from gateway.cli.policy.reporting import report
from gateway.cli.policy.suite import run_suite
from gateway.policy.compiler import Opa


def check(*, policies: Policies = Path("policies"), tests: Tests = Path("rego_tests"), as_json: AsJson = False) -> int:
    """Check schemas, format, types, compilation, rules about rules, tests, coverage. Exits 1 when one fails."""
    return report(list(run_suite(Opa.find(), policies, tests)), as_json=as_json)
