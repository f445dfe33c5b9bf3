"""Only an OPA that has this very bundle decides; whatever else it does denies, each with a code of its own."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from gateway.core.errors import Unavailable
from gateway.core.verdict import Outcome
from gateway.policy import opa as opa_module
from gateway.policy.decider import Active, Decider
from gateway.policy.engine import EngineError
from gateway.policy.opa import Opa, OpaEngine, Server
from tests.policy.fake_opa import Answer, opa, result, saying
from tests.policy.world import ALLOW, FixedClock, bundle, request

BUNDLE = bundle()
PRIVATE = "unix:///nowhere/opa.sock"


async def test_an_opa_with_our_bundle_decides_and_its_version_is_recorded() -> None:
    async with opa(saying(result(BUNDLE, ALLOW))) as server:
        engine = OpaEngine(server, BUNDLE)
        assert json.loads(await engine.evaluate(b"{}")) == ALLOW
        assert engine.name == "opa/1.22.2"
        await engine.check()
        engine.close()


@pytest.mark.parametrize(
    "other",
    [
        {"etags": [f'"{"c" * 64}"']},
        {"etags": [f'W/"{BUNDLE.sha256}"']},
        {"etags": []},
        {"etags": ["card 4111111111111111"]},
        {"revisions": ["r2"]},
        {"revisions": []},
        {"modules": ["0" * 64]},
        {"modules": []},
    ],
)
async def test_an_opa_with_another_bundle_denies(other: dict[str, object]) -> None:
    async with opa(saying(result(BUNDLE, ALLOW, **other))) as server:
        with pytest.raises(EngineError) as raised:
            await OpaEngine(server, BUNDLE).evaluate(b"{}")
        assert raised.value.code == "policy.other_bundle"
        assert "4111" not in raised.value.detail
        with pytest.raises(EngineError):
            await OpaEngine(server, BUNDLE).check()


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def endless(asked: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(asked)
    while True:
        await response.write(b" " * 65536)


async def elsewhere(_: web.Request) -> web.Response:
    raise web.HTTPTemporaryRedirect("http://127.0.0.1:1/")


async def prose(_: web.Request) -> web.Response:
    return web.Response(text="It depends.", content_type="application/json")


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>", content_type="text/html")


async def cut(asked: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(asked)
    await response.write(b"{")
    if asked.transport is not None:
        asked.transport.close()
    return response


async def no_number(_: web.Request) -> web.Response:
    decision = {**ALLOW, "obligations": {"limits": {"rows": float("nan")}}}
    return web.Response(text=json.dumps({"result": [result(BUNDLE, decision)]}), content_type="application/json")


async def bottomless(_: web.Request) -> web.Response:
    return web.Response(text="[" * 100_000, content_type="application/json")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (slow, "policy.opa_slow"),
        (endless, "policy.opa_nonsense"),
        (elsewhere, "policy.opa_nonsense"),
        (prose, "policy.opa_nonsense"),
        (page, "policy.opa_nonsense"),
        (cut, "policy.opa_nonsense"),
        (no_number, "policy.opa_nonsense"),
        (bottomless, "policy.opa_nonsense"),
        (saying(), "policy.opa_nonsense"),
        (saying(1), "policy.opa_nonsense"),
        (saying({"decisions": [ALLOW]}), "policy.opa_nonsense"),
        (saying(result(BUNDLE, ALLOW), result(BUNDLE, ALLOW)), "policy.opa_nonsense"),
        (saying(result(BUNDLE, ALLOW, ALLOW)), "policy.opa_nonsense"),
        (saying(result(BUNDLE)), "policy.undefined"),
        (saying(result(BUNDLE, "allow")), "policy.invalid_decision"),
        (saying(result(BUNDLE, {**ALLOW, "more": 1})), "policy.invalid_decision"),
        (saying(result(BUNDLE, ALLOW), status=401), "policy.opa_refused"),
        (saying(result(BUNDLE, ALLOW), status=500), "policy.opa_refused"),
        (saying(result(BUNDLE, ALLOW, etags=['"other"'])), "policy.other_bundle"),
    ],
)
async def test_an_opa_that_does_anything_else_denies_and_the_verdict_says_so(answer: Answer, code: str) -> None:
    async with opa(answer, timeout=0.5 if answer is slow else 5.0) as server:
        decider = Decider(FixedClock())
        decider.activate(Active(BUNDLE, OpaEngine(server, BUNDLE)))
        verdict = await decider.decide(request())
        assert verdict.decision.outcome is Outcome.DENY
        assert verdict.findings[0].code == code
        assert verdict.bundle_sha256 == BUNDLE.sha256
        assert verdict.input


async def test_an_opa_that_goes_away_denies_also_what_it_has_allowed_before() -> None:
    decider = Decider(FixedClock())
    async with opa(saying(result(BUNDLE, ALLOW))) as server:
        decider.activate(Active(BUNDLE, OpaEngine(server, BUNDLE)))
        assert (await decider.decide(request())).decision.outcome is Outcome.ALLOW
    verdict = await decider.decide(request())
    assert verdict.findings[0].code == "policy.opa_down"
    assert verdict.decision.outcome is Outcome.DENY
    await server.close()


async def test_a_connection_that_opa_closed_in_between_is_no_outage() -> None:
    calls = 0

    async def once_each(asked: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        if calls == 2 and asked.transport is not None:
            asked.transport.close()
        return await saying(result(BUNDLE, ALLOW))(asked)

    async with opa(once_each) as server:
        engine = OpaEngine(server, BUNDLE)
        await engine.evaluate(b"{}")
        await engine.evaluate(b"{}")
    assert calls == 3


async def test_a_token_that_cannot_be_read_denies() -> None:
    def token() -> str:
        raise Unavailable("config.secret")

    with pytest.raises(EngineError, match=r"policy\.opa_refused: config\.secret"):
        await Opa(Server(url=PRIVATE, token=token)).ask({})


async def test_an_authority_that_is_not_there_denies() -> None:
    with pytest.raises(EngineError, match=r"policy\.opa_down"):
        await Opa(Server(url="https://127.0.0.1", ca=Path("/nowhere/ca.pem"))).ask({})


def test_an_address_is_taken_apart_as_it_was_meant() -> None:
    client = opa_module.Client(Server(url="https://[::1]:8443", token=lambda: "t"))
    assert (client.schema, client.host, client.port) == ("https://", "[::1]", 8443)
    assert client.headers == {"Authorization": "Bearer t"}
    assert opa_module.Client(Server(url="https://opa.example")).port == 443
