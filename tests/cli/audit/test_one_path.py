"""Live, replay and back-test are one code path: over every question of a bundle they give the same bytes."""

import hashlib

from gateway.cli.audit.recompute import Archived
from gateway.cli.policy.evaluating import Candidate
from gateway.core.errors import GatewayError
from gateway.policy.archive import read_archive
from gateway.policy.bundle import load_key, open_bundle
from gateway.policy.decider import Active
from gateway.policy.digests import canonical
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.vectors import decode_vectors
from tests.cli.audit.world import ARCHIVE

NOW = 1_800_000_000
EVERY = 7
"""every so manieth question"""


async def test_the_three_give_the_same_bytes_and_take_the_same_for_decisions() -> None:
    raw = ARCHIVE.read_bytes()
    files = read_archive(raw)
    bundle = open_bundle(raw, [load_key(ARCHIVE.with_name("policy.pub"))], NOW)
    engine = EmbeddedEngine(bundle.wasm, bundle.data)
    live, back, past = Active(bundle, engine), Candidate(files), Archived(files)
    vectors = [v for name, text in bundle.vectors.items() for v in decode_vectors(name, text).vectors if v.conforms]
    documents = [canonical(vector.input) for vector in vectors[::EVERY]]
    assert len(documents) > 20
    outcomes = set()
    for document in documents:
        answer = await engine.evaluate(document)
        assert answer == back.raw(document)
        try:
            outcome = live.verdict(document, answer, "", 0).decision.outcome.value
        except GatewayError:
            outcome = "deny"
        asked = back.ask(document)
        assert asked.outcome == outcome
        outcomes.add(outcome)
        if outcome != "deny":
            assert asked.sha256 == hashlib.sha256(answer).hexdigest()
    assert len(outcomes) > 2
    assert past.answer(documents[0]) == await engine.evaluate(documents[0])
    engine.close()
    back.close()
