"""A bundle answers its own vectors, byte for byte, under the site data that each file names, or it does not decide."""

import json
from pathlib import Path

import pytest

from gateway.core.errors import BundleRejected, Unavailable
from gateway.policy.bundle import Bundle, open_bundle
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from gateway.policy.gate import rejection, try_vectors
from gateway.policy.vectors import count
from tests.policy.modules import module
from tests.policy.world import ALLOW, bundle
from tests.support.bundle import bundle_key, everything_but_clear, signed_bundle


def asking(*vectors: object, **site: object) -> Bundle:
    raw = json.dumps({"about": "v", "vectors": vectors, **site}).encode()
    return bundle(vectors={"vectors/v.json": raw}, data=b'{"gateway":{},"site":{}}')


def tried(made: Bundle) -> int:
    engine = EmbeddedEngine(made.wasm, made.data)
    try:
        return try_vectors(made, engine)
    finally:
        engine.close()


ONE = {"name": "one", "input": {}, "decision": ALLOW}


def test_a_bundle_that_answers_as_it_says_passes() -> None:
    assert tried(asking(ONE, {**ONE, "name": "two"})) == 2
    assert tried(asking(ONE, site={"masks": {}})) == 1


@pytest.mark.parametrize("decision", [{}, {**ALLOW, "outcome": "deny"}, {**ALLOW, "advice": ["x"]}, "allow"])
def test_one_that_answers_otherwise_is_refused_and_the_vector_named(decision: object) -> None:
    with pytest.raises(BundleRejected, match=r"vectors_failed: vectors/v\.json: two"):
        tried(asking(ONE, {**ONE, "name": "two", "decision": decision}))


def test_the_released_rules_pass_with_any_site_data(tmp_path: Path) -> None:
    made = open_bundle(signed_bundle(tmp_path, everything_but_clear("payments")), [bundle_key().public], 1)
    assert tried(made) == count(made.vectors) >= 200


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EngineError("policy.timeout"), "bundle.runaway"),
        (EngineError("policy.capability"), "bundle.capability"),
        (EngineError("policy.undefined"), "bundle.vectors_failed"),
        (EngineError("policy.engine"), "bundle.not_run"),
        (EngineError("policy.invalid_decision"), "bundle.not_run"),
        (Unavailable("evidence.unavailable"), "evidence.unavailable"),
        (BundleRejected("bundle.vectors"), "bundle.vectors"),
    ],
)
def test_what_an_engine_says_becomes_what_is_wrong_with_the_bundle(error: Exception, code: str) -> None:
    assert isinstance(error, EngineError | Unavailable | BundleRejected)
    assert rejection(error).code == code


def test_a_module_that_stops_answering_at_a_vector_is_named_there() -> None:
    made = bundle(wasm=module("traps"), vectors=asking(ONE).vectors)
    with pytest.raises(BundleRejected, match=r"not_run: vectors/v\.json: one"):
        tried(made)
