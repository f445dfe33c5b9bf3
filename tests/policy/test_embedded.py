"""The embedded engine answers like OPA, and whatever a module does wrong is an error with a code, never a hang."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from tests.policy.modules import BEHAVIOURS, module

MISBEHAVING = {
    "never ends": "policy.timeout",
    "traps": "policy.engine",
    "aborts": "policy.engine",
    "calls a built-in": "policy.engine",
    "points out of memory": "policy.engine",
    "answers without end": "policy.engine",
    "grows without end": "policy.timeout",
}


def test_every_behaviour_is_tried() -> None:
    assert {*MISBEHAVING, "answers"} == set(BEHAVIOURS)


async def test_an_answer_comes_back_canonical() -> None:
    engine = EmbeddedEngine(module(), b"{}")
    assert await engine.evaluate(b"{}") == b'{"outcome":"allow"}'
    engine.close()


@pytest.mark.parametrize(("behaviour", "code"), MISBEHAVING.items())
async def test_a_module_that_misbehaves_gives_no_answer(behaviour: str, code: str) -> None:
    engine = EmbeddedEngine(module(behaviour), b"{}")
    for _ in range(2):
        with pytest.raises(EngineError) as caught:
            await engine.evaluate(b"{}")
        assert caught.value.code == code
    engine.close()


def test_a_module_that_wants_a_builtin_of_its_host_is_refused() -> None:
    engine = EmbeddedEngine(module(builtins=b'{"http.send":0}'), b"{}")
    with pytest.raises(EngineError, match="built-ins"):
        engine.evaluate_now(b"{}")


def test_a_module_that_imports_anything_else_is_refused() -> None:
    engine = EmbeddedEngine(module(imports='(import "wasi" "fd_write" (func))'), b"{}")
    with pytest.raises(EngineError, match=r"imports wasi\.fd_write"):
        engine.evaluate_now(b"{}")


def test_bytes_that_are_no_module_are_refused() -> None:
    with pytest.raises(EngineError, match="does not compile"):
        EmbeddedEngine(b"\0asm", b"{}")


def test_a_document_larger_than_the_memory_so_far_is_evaluated() -> None:
    engine = EmbeddedEngine(module(), b"{}")
    document = json.dumps({"text": "x" * 3_000_000}).encode()
    assert engine.evaluate_now(document) == b'{"outcome":"allow"}'


def test_several_threads_share_an_engine() -> None:
    engine = EmbeddedEngine(module(), b"{}")
    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(lambda _: engine.evaluate_now(b"{}"), range(200)))
    assert answers == {b'{"outcome":"allow"}'}
