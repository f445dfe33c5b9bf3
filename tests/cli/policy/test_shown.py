"""How far a requirement is shown."""

import msgspec
import pytest

from gateway.cli.policy.shown import CUSTOMER, EXERCISED, MAPPED, TESTED, MatrixRow, RuleRow, state_of

RULE = RuleRow(
    code="access.blocked", title="Blocked", effect="deny", severity="high", place="blocked.rego:48",
    controls=("PCI-DSS-4.0.1/7.2.2",), tests=("blocked_test.rego:3",), vectors=2, decisions=5,
)  # fmt: skip
UNUSED = msgspec.structs.replace(RULE, decisions=0)
UNTESTED = msgspec.structs.replace(RULE, tests=(), vectors=0)


@pytest.mark.parametrize(
    ("rules", "shown", "state"),
    [
        ([RULE], "evidenced", EXERCISED),
        ([RULE, UNUSED], "evidenced", EXERCISED),
        ([UNUSED], "evidenced", TESTED),
        ([RULE, UNTESTED], "evidenced", MAPPED),
        ([], "partly", MAPPED),
        ([], "customer", CUSTOMER),
    ],
)
def test_one_untested_rule_keeps_a_requirement_at_mapped_only(rules: list[RuleRow], shown: str, state: str) -> None:
    assert state_of(rules, shown) == state


def test_where_no_rule_is_somebody_else_is_named() -> None:
    row = MatrixRow(control="c", title="t", state=CUSTOMER, rules=(), vectors=(), shown="customer", owes="o")
    assert row.by == "the customer"
    assert msgspec.structs.replace(row, state=MAPPED).by.startswith("the gateway itself")
    assert msgspec.structs.replace(row, rules=(RULE,)).by == ""
