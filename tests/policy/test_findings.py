"""Reasons as people read them: the deciding one first, values filled in once and never read as names again."""

from gateway.core.errors import Unavailable
from gateway.core.verdict import Decision, Outcome, Reason
from gateway.policy.findings import failure, render
from tests.policy.world import rule

RULES = {
    each.code: each
    for each in (
        rule("a.allowed", "allow"),
        rule("b.low", "deny", "low"),
        rule("c.high", "deny", "high", "{relation} by {who}"),
    )
}


def decided(outcome: Outcome, *reasons: Reason) -> Decision:
    return Decision(outcome=outcome, reasons=reasons)


def test_the_deciding_effect_comes_first_and_the_grave_before_the_light() -> None:
    reasons = (Reason(code="a.allowed"), Reason(code="b.low"), Reason(code="c.high"))
    found = render(decided(Outcome.DENY, *reasons), RULES)
    assert [finding.code for finding in found] == ["c.high", "b.low", "a.allowed"]
    assert render(decided(Outcome.ALLOW, *reasons), RULES)[0].code == "a.allowed"


def test_a_finding_says_rule_file_line_control_and_remedy() -> None:
    (finding,) = render(decided(Outcome.DENY, Reason(code="b.low", args={"column": "pan"})), RULES)
    assert (finding.file, finding.line, finding.rule) == ("gateway/x.rego", 7, "data.gateway.b.low.effects")
    assert finding.controls == ("PCI-DSS-4.0.1/3.4.1",)
    assert (finding.message, finding.remedy) == ("pan was seen", "do without b.low")


def test_values_are_filled_in_once_and_a_missing_one_shows() -> None:
    reason = Reason(code="c.high", args={"relation": "{who}"})
    assert render(decided(Outcome.DENY, reason), RULES)[0].message == "{who} by ?"


def test_a_hazard_is_shown_by_its_own_code_message_and_remedy_with_the_rule_that_denied_it() -> None:
    reason = Reason(code="c.high", args={"hazard": "setting.pinned", "detail": "role"})
    (finding,) = render(decided(Outcome.DENY, reason), RULES)
    assert finding.code == "setting.pinned"
    assert finding.message == "this setting is pinned by the gateway: role"
    assert finding.file == "gateway/x.rego"


def test_a_code_the_bundle_does_not_describe_is_shown_as_it_is() -> None:
    (finding,) = render(decided(Outcome.DENY, Reason(code="x.unknown")), RULES)
    assert (finding.code, finding.message) == ("x.unknown", "x.unknown")


def test_a_failure_reads_as_the_registry_says() -> None:
    assert failure(Unavailable("policy.timeout")).remedy
    assert failure(Unavailable("policy.engine", "why")).message.endswith(": why")
