"""`querywarden policy test`: the tests of a policy, and how much of it they reach."""

from pathlib import Path

from gateway.cli.policy.findings import Junit, Sarif, write_findings
from gateway.cli.policy.options import AsJson, Policies, Tests
from gateway.cli.policy.reporting import report
from gateway.cli.policy.suite import covered, each_test, require_policy, tested
from gateway.policy.compiler import Opa


def run_tests(
    *,
    policies: Policies = Path("policies"),
    tests: Tests = Path("rego_tests"),
    junit: Junit = None,
    sarif: Sarif = None,
    as_json: AsJson = False,
) -> int:
    """Run the tests. Exits 1 when one fails, when there is none, or when a line is not reached."""
    require_policy(policies)
    opa = Opa.find()
    checks = [tested(opa, policies, tests), covered(opa, policies, tests)]
    if junit or sarif:
        write_findings([*each_test(opa, policies, tests), *checks], junit, sarif)
    return report(checks, as_json=as_json)
