"""`querywarden policy check`: everything that must hold of a policy before it may be a bundle."""

from pathlib import Path

from gateway.cli.policy.findings import Junit, Sarif, write_findings
from gateway.cli.policy.options import AsJson, Policies, Tests
from gateway.cli.policy.reporting import report
from gateway.cli.policy.suite import run_suite
from gateway.policy.compiler import Opa


def check(
    *,
    policies: Policies = Path("policies"),
    tests: Tests = Path("rego_tests"),
    junit: Junit = None,
    sarif: Sarif = None,
    as_json: AsJson = False,
) -> int:
    """Check schemas, format, types, compilation, rules about rules, requirements, tests, coverage.

    Exits 1 when one fails.
    """
    checks = list(run_suite(Opa.find(), policies, tests))
    write_findings(checks, junit, sarif)
    return report(checks, as_json=as_json)
