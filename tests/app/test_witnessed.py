"""A running gateway is cosigned and read by others, and goes on when its witness does not."""

import asyncio
from collections.abc import Callable

import pytest
from aiohttp import web

from gateway import cli
from gateway.cli.demo.cluster import free_port
from gateway.core.clock import SystemClock
from gateway.evidence.keys import load_verifier, public_key
from gateway.evidence.note import open_checkpoint
from tests.app.place import Place
from tests.evidence.witnesses import CosigningKey, StrictWitness
from tests.support.waiting import http_get

WITNESS = CosigningKey()
TOKEN = {"Authorization": "Bearer let-me-in"}


class Service:
    """A strict witness over HTTP, which learns of the log at its first question and can be switched off."""

    def __init__(self, place: Place) -> None:
        self.keys, self.strict = place.folder / "var/keys", list[StrictWitness]()
        self.off = False

    async def answer(self, request: web.Request) -> web.Response:
        if self.off:
            return web.Response(status=503)
        now = SystemClock().now_ns() // 10**9
        if not self.strict:
            self.strict.append(StrictWitness(WITNESS, load_verifier(public_key(self.keys, 1)), now))
        self.strict[0].at = now
        status, body = self.strict[0].answer(await request.read())
        return web.Response(status=status, body=body)

    async def start(self) -> tuple[web.AppRunner, str]:
        application = web.Application()
        application.router.add_post("/add-checkpoint", self.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not come")


async def test_checkpoints_are_cosigned_while_statements_run_and_trouble_with_the_witness_stops_nothing(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("READER", "let-me-in")
    service = Service(place)
    runner, url = await service.start()
    witnesses = [{"url": url, "key": WITNESS.key.encode()}]
    evidence: dict[str, object] = {
        "witnesses": witnesses,
        "witness_interval": "1s",
        "publish": {"token": {"env": "READER"}},
    }
    place.configure({}, http=free_port(), evidence=evidence)
    async with place.running():
        await until(lambda: bool(place.leaves("witness.cosigned")))
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        service.off = True
        await until(lambda: bool(place.leaves("witness.failed")))
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        numbers = (await fetched(place, "/metrics", {}))[1]
        assert b'querywarden_witness_answers_total{result="status"}' in numbers
        assert f'querywarden_witness_age_seconds{{witness="{WITNESS.key.name}"}}'.encode() in numbers
        assert f'querywarden_witness_lag_leaves{{witness="{WITNESS.key.name}"}}'.encode() in numbers
        service.off = False
        await until(lambda: len(place.leaves("witness.cosigned")) == 2)
        await read_over_http(place)
    await runner.cleanup()
    assert len(place.leaves("witness.failed")) == 1
    capsys.readouterr()
    assert await asyncio.to_thread(cli.main, ["audit", "verify", "-c", str(place.config)]) == cli.DONE
    said = capsys.readouterr().out
    assert f"{WITNESS.key.name} cosigned" in said
    assert "witness.none" not in said


async def fetched(place: Place, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    status, _, body = await asyncio.to_thread(http_get, f"http://127.0.0.1:{place.http}{path}", headers)
    return status, body


async def read_over_http(place: Place) -> None:
    """Checkpoint, entries and the cosigned checkpoint, with the token and without."""
    log = load_verifier(public_key(place.folder / "var/keys", 1))
    for path in ("checkpoint", "cosigned"):
        assert (await fetched(place, f"/v1/log/{path}", {}))[0] == 401
        status, note = await fetched(place, f"/v1/log/{path}", TOKEN)
        assert (status, open_checkpoint(note, log).origin) == (200, log.name)
    assert WITNESS.key.name.encode() in note
    size = open_checkpoint(note, log).size
    assert place.leaves("evidence.accessed") == []
    for _ in range(2):
        assert (await fetched(place, f"/v1/log/tile/entries/000.p/{size}", TOKEN))[0] == 200
    (leaf,) = place.leaves("evidence.accessed")
    assert (leaf["act"], leaf["data"]) == ("log.entries", {"over": "http", "client": "127.0.0.1"})
