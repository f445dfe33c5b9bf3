"""METADATA becomes rules, each complete, or the build ends."""

import json

import pytest

from gateway.core.errors import BundleRejected
from gateway.policy.metadata import rules

CUSTOM = {
    "code": "pci.x",
    "effect": "mask",
    "message": "{column} is masked",
    "controls": ["PCI-DSS-4.0.1/3.4.1"],
    "severity": "high",
    "remedy": "do without",
}


def annotated(custom: dict[str, object] | None, row: int = 7, title: str = "A rule") -> dict[str, object]:
    return {
        "annotations": {"scope": "rule", "title": title, **({"custom": custom} if custom is not None else {})},
        "location": {"file": "/gateway/pci/x/x.rego", "row": row, "col": 1},
        "path": [{"type": "var", "value": "data"}, *({"type": "string", "value": n} for n in ("gateway", "effects"))],
    }


def inspected(*entries: object) -> bytes:
    return json.dumps({"manifest": {}, "annotations": entries}).encode()


def test_a_rule_knows_where_it_stands_and_what_it_says() -> None:
    (rule,) = rules(inspected(annotated(None), annotated(dict(CUSTOM))))
    assert (rule.rule, rule.file, rule.line) == ("data.gateway.effects", "gateway/pci/x/x.rego", 7)
    assert (rule.code, rule.title, rule.effect, rule.severity) == ("pci.x", "A rule", "mask", "high")
    assert rule.controls == ("PCI-DSS-4.0.1/3.4.1",)


def test_rules_stand_in_the_order_of_their_codes() -> None:
    found = rules(inspected(annotated({**CUSTOM, "code": "b"}), annotated({**CUSTOM, "code": "a"})))
    assert [rule.code for rule in found] == ["a", "b"]


def test_a_code_given_twice_ends_the_build() -> None:
    with pytest.raises(BundleRejected, match="given twice"):
        rules(inspected(annotated(dict(CUSTOM)), annotated(dict(CUSTOM), 9)))


@pytest.mark.parametrize("missing", ["effect", "message", "controls", "severity", "remedy"])
def test_a_rule_that_lacks_something_is_named_with_its_place(missing: str) -> None:
    custom: dict[str, object] = {name: value for name, value in CUSTOM.items() if name != missing}
    with pytest.raises(BundleRejected, match=rf"x\.rego:7: .*{missing}"):
        rules(inspected(annotated(custom)))


def test_a_word_that_nobody_knows_is_named() -> None:
    with pytest.raises(BundleRejected, match="controlls"):
        rules(inspected(annotated({**CUSTOM, "controlls": []})))


def test_a_rule_needs_a_title() -> None:
    with pytest.raises(BundleRejected, match="title"):
        rules(inspected(annotated(dict(CUSTOM), title="")))


def test_a_policy_without_annotations_has_no_rules() -> None:
    assert rules(b"{}") == ()
