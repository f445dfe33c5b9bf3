"""A candidate answers beside the active bundle; what it would have changed is told, and nothing of it is done."""

import json
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import BundleRejected
from gateway.core.verdict import Decision, Shadow, Verdict
from gateway.policy.bundle import Bundle
from gateway.policy.shadow import Candidate
from tests.policy.modules import module
from tests.policy.world import ALLOW, FixedClock, bundle, request

DENY = {**ALLOW, "outcome": "deny", "reasons": [{"code": "test.denied", "args": {}}]}
LIMITED = {**ALLOW, "obligations": {"limits": {"rows": 1}}}
EXPLAINED = {**ALLOW, "reasons": [{"code": "test.allowed", "args": {}}]}


def opened(raw: bytes) -> Bundle:
    what = json.loads(raw)
    if "reject" in what:
        raise BundleRejected(what["reject"])
    answer, behaviour = what.get("answer", ALLOW), what.get("behaviour", "answers")
    code = module(behaviour, answer=json.dumps([{"result": answer}]).encode())
    vectors = {"about": "v", "vectors": [{"name": "one", "input": {}, "decision": what.get("expect", answer)}]}
    return bundle(sha256="c" * 64, wasm=code, vectors={"vectors/v.json": json.dumps(vectors).encode()})


def candidate(folder: Path, **what: object) -> Candidate:
    path = folder / "candidate.tar.gz"
    path.write_text(json.dumps(what), encoding="utf-8")
    return Candidate(path, opened, FixedClock())


VERDICT = Verdict(decision=msgspec.convert(ALLOW, Decision), findings=())


@pytest.mark.parametrize(
    ("answer", "change", "codes"),
    [
        (ALLOW, "", ()),
        (DENY, "outcome", ("test.denied",)),
        (LIMITED, "obligations", ()),
        (EXPLAINED, "reasons", ("test.allowed",)),
    ],
)
async def test_what_it_would_have_changed_is_told_and_counted(
    tmp_path: Path, answer: dict[str, object], change: str, codes: tuple[str, ...]
) -> None:
    beside = candidate(tmp_path, answer=answer)
    await beside.load()
    found = await beside.beside(VERDICT, request())
    assert found == Shadow(bundle_sha256="c" * 64, outcome=str(answer["outcome"]), change=change, codes=codes)
    assert beside.changes == {change or "same": 1}
    beside.close()
    assert await beside.beside(VERDICT, request()) is None


async def test_one_that_fails_on_a_question_says_so_and_ends_nothing(tmp_path: Path) -> None:
    beside = candidate(tmp_path, answer={**ALLOW, "outcome": "perhaps"})
    await beside.load()
    found = await beside.beside(VERDICT, request())
    assert found is not None
    assert (found.change, found.codes) == ("failed", ("policy.invalid_decision",))
    beside.close()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"reject": "bundle.expired"}, "bundle.expired"),
        ({"behaviour": "never ends"}, "bundle.runaway"),
        ({"expect": {}}, "bundle.vectors_failed"),
    ],
)
async def test_one_that_could_never_be_active_is_not_taken(tmp_path: Path, what: dict[str, object], code: str) -> None:
    beside = candidate(tmp_path, **what)
    with pytest.raises(BundleRejected) as raised:
        await beside.load()
    assert raised.value.code == code
    assert beside.sha256 == ""
    assert await beside.beside(VERDICT, request()) is None


async def test_a_new_file_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    beside = candidate(tmp_path)
    assert beside.moved()
    assert await beside.load() is not None
    assert not beside.moved()
    assert beside.sha256 == "c" * 64
    beside.close()
