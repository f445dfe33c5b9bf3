"""Stored decisions are read once each; what is gone, or is none, says nothing."""

import msgspec

from gateway.cli.audit.exporting.answers import Said, by_code, read_answers
from gateway.cli.audit.exporting.tally import Group

ANSWER = msgspec.json.encode(
    {
        "outcome": "mask",
        "reasons": [
            {"code": "access.granted", "args": {"grant": "agents/payments/public.*/select"}},
            {"code": "pci.cardholder.cleared", "args": {"column": "public.cards.pan"}},
        ],
        "obligations": {"masks": [{"schema": "public", "relation": "cards", "column": "cvv", "method": "null"}]},
    }
)


def test_codes_grants_and_columns_are_read() -> None:
    (said,) = read_answers({"sha256:a"}, {"a": ANSWER}.get).values()
    assert said.codes == ("access.granted", "pci.cardholder.cleared")
    assert said.grants == ("agents/payments/public.*/select",)
    assert (said.shown, said.masked) == (("public.cards.pan",), ("public.cards.cvv",))


def test_what_is_gone_or_no_decision_says_nothing() -> None:
    assert read_answers({"sha256:a", "sha256:b", ""}, {"a": b"[]"}.get) == {"sha256:a": Said(), "sha256:b": Said()}


def test_codes_are_counted_with_the_gateways_own() -> None:
    groups = {Group("sha256:a", "x", "p", "select", "deny", "statement.unanalysable", "", False): 3}  # noqa: FBT003 -- off hours or not
    answers = {"sha256:a": Said(codes=("access.action",))}
    assert by_code(answers, groups) == {"access.action": 3, "statement.unanalysable": 3}
