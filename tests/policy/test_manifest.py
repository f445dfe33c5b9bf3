"""The manifest is understood completely or refused."""

import json

import msgspec
import pytest

from gateway.core.errors import BundleRejected
from gateway.policy.digests import canonical
from gateway.policy.manifest import read_manifest, write_manifest
from tests.policy.small import RULE, manifest

GOOD = write_manifest(manifest())


def refusal(raw: bytes) -> str:
    with pytest.raises(BundleRejected) as caught:
        read_manifest(raw)
    return caught.value.code


def test_what_is_written_is_read() -> None:
    assert read_manifest(GOOD) == manifest()
    assert write_manifest(read_manifest(GOOD)) == GOOD


def test_a_key_that_nobody_knows_is_refused_wherever_it_stands() -> None:
    loaded = json.loads(GOOD)
    for place in (loaded, loaded["metadata"], loaded["metadata"]["querywarden"]):
        place["more"] = 1
        assert refusal(canonical(loaded)) == "bundle.manifest"
        del place["more"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("entrypoint", "gateway/other/decision"), ("wasm_sha256", "x"), ("reads", [""]), ("rules", {})],
)
def test_a_value_of_ours_that_cannot_be_meant_is_refused(field: str, value: object) -> None:
    loaded = json.loads(GOOD)
    loaded["metadata"]["querywarden"][field] = value
    assert refusal(canonical(loaded)) == "bundle.manifest"


@pytest.mark.parametrize(("field", "value"), [("severity", "urgent"), ("line", 0), ("code", ""), ("message", None)])
def test_a_rule_says_all_there_is_to_say(field: str, value: object) -> None:
    loaded = json.loads(GOOD)
    loaded["metadata"]["querywarden"]["rules"][0][field] = value
    assert refusal(canonical(loaded)) == "bundle.manifest"


def test_rego_of_another_version_and_foreign_roots_are_refused() -> None:
    loaded = json.loads(GOOD)
    assert refusal(canonical({**loaded, "rego_version": 0})) == "bundle.manifest"
    assert refusal(canonical({**loaded, "roots": ["gateway", "site", "other"]})) == "bundle.manifest"
    assert refusal(canonical({**loaded, "roots": [""]})) == "bundle.manifest"


def test_two_rules_never_share_a_code() -> None:
    other = msgspec.structs.replace(RULE, title="Another")
    assert refusal(write_manifest(manifest(b"", RULE, other))) == "bundle.manifest"


def test_it_stands_in_canonical_form() -> None:
    assert refusal(GOOD + b"\n") == "bundle.data"
