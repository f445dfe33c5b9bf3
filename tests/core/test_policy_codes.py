"""The codes of policy are part of the one registry."""

from gateway.core.code import Code
from gateway.core.codes import CODES
from gateway.core.policy_codes import POLICY_CODES


def test_every_code_of_policy_is_in_the_registry_and_of_policy() -> None:
    assert POLICY_CODES.items() <= CODES.items()
    assert {code.partition(".")[0] for code in POLICY_CODES} <= {"policy", "bundle", "obligation", "opa", "order"}


def test_what_denies_for_want_of_an_answer_is_no_denial_by_a_rule() -> None:
    assert all(isinstance(entry, Code) for entry in POLICY_CODES.values())
    assert {POLICY_CODES[code].http for code in POLICY_CODES if code.startswith("policy.opa_")} == {503}
    assert POLICY_CODES["policy.stopped"].sqlstate == "42501"
