"""Hashes of files: by content for JSON, by bytes for the rest, and a digest that survives signing."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BundleRejected
from gateway.policy.digests import MANIFEST, SIGNATURES, canonical, canonical_value, file_hash, opa_text, policy_digest

FILES = {MANIFEST: b'{"revision":"one","roots":["gateway"]}', "gateway/a.rego": b"package gateway.a\n"}
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def test_a_rego_file_is_hashed_by_its_bytes() -> None:
    assert file_hash("gateway/a.rego", b"x\n") == hashlib.sha256(b"x\n").hexdigest()


def test_the_text_that_opa_hashes_escapes_what_go_escapes_and_nothing_else() -> None:
    value = {"b": "<&>\u2028\u2029é\x7f\x08\x0c\x01", "a": [1, True, None]}
    assert opa_text(value) == '{"a":[1,true,null],"b":"<&>\\u2028\\u2029é\x7f\\b\\f\\u0001"}'


@given(value=values)
def test_canonical_json_is_read_back(value: object) -> None:
    assert canonical_value("data.json", canonical(value)) == value


@pytest.mark.parametrize(
    "raw",
    [b'{"a": 1}', b'{"b":1,"a":2}', b'{"a":1,"a":1}', b"{}\n", b"1.0", b"1.5", b"1e3", b'"\\u0061"', b"nope", b"\xff"],
)
def test_json_in_any_other_spelling_is_refused(raw: bytes) -> None:
    with pytest.raises(BundleRejected, match=r"bundle\.data"):
        canonical_value("data.json", raw)


def test_json_nested_without_end_is_refused() -> None:
    with pytest.raises(BundleRejected, match=r"bundle\.data"):
        canonical_value("data.json", b"[" * 100_000 + b"]" * 100_000)


def test_what_json_cannot_hold_exactly_is_refused() -> None:
    for value in (2**60, "\ud800", object()):
        with pytest.raises(BundleRejected, match=r"bundle\.data"):
            canonical(value)


def test_the_policy_digest_is_that_of_a_list_anybody_can_make_with_sha256sum() -> None:
    manifest = hashlib.sha256(b'{"roots":["gateway"]}').hexdigest()
    rego = hashlib.sha256(FILES["gateway/a.rego"]).hexdigest()
    lines = sorted([f"{manifest}  .manifest\n", f"{rego}  gateway/a.rego\n"])
    assert policy_digest(FILES) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_policy_digest_survives_signing_and_renaming_and_nothing_else() -> None:
    digest = policy_digest(FILES)
    assert policy_digest({**FILES, SIGNATURES: b"any"}) == digest
    assert policy_digest({**FILES, MANIFEST: FILES[MANIFEST].replace(b"one", b"two")}) == digest
    assert policy_digest({**FILES, MANIFEST: FILES[MANIFEST].replace(b"way", b"wax")}) != digest
    assert policy_digest({**FILES, "gateway/a.rego": b"package gateway.b\n"}) != digest
    assert policy_digest({**FILES, "gateway/b.rego": b""}) != digest


def test_a_manifest_that_is_no_object_has_no_digest() -> None:
    with pytest.raises(BundleRejected, match=r"bundle\.manifest"):
        policy_digest({MANIFEST: json.dumps([]).encode()})
