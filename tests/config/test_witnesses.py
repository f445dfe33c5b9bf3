"""Witnesses are configured by address and key, and nothing that cannot be one is taken for one."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from gateway.config.quantities import Duration
from gateway.config.settings import Settings
from gateway.config.witnesses import witness_families, witness_keys, witnessed
from gateway.core.clock import SystemClock
from gateway.core.events import Event, EventType
from gateway.evidence.cosign import ML_DSA_44
from gateway.evidence.recorder import Recorder
from tests.config.world import changed, read, told, warned
from tests.evidence.witnesses import CosigningKey, StrictWitness

KEY = CosigningKey().key.encode()
GOOD = {"url": "https://witness.example/w1", "key": KEY}


def settings(folder: Path, witnesses: list[dict[str, str]]) -> Settings:
    found = read(folder, changed("evidence.witnesses", witnesses)).settings
    assert found is not None
    return found


def test_a_witness_is_an_address_and_a_key(folder: Path) -> None:
    second = {"url": "http://127.0.0.1:7380", "key": CosigningKey("w2", ML_DSA_44).key.encode(), "timeout": "2s"}
    evidence = settings(folder, [GOOD, second]).evidence
    assert [key.encode() for key in witness_keys(evidence)] == [GOOD["key"], second["key"]]
    assert [witness.timeout for witness in evidence.witnesses] == [Duration(5), Duration(2)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "witness.example"}, "not an address"),
        ({"url": "https://"}, "not an address"),
        ({"url": "https://me:pw@witness.example"}, "not an address"),
        ({"url": "https://witness.example/?x"}, "not an address"),
        ({"url": "ftp://witness.example"}, "not an address"),
        ({"url": "https://witness.example/add-checkpoint"}, "write the prefix"),
        ({"key": "nonsense"}, "key"),
        ({"key": KEY.replace("w1+", "w2+")}, "id it claims"),
        ({"key": "log.example+00000000+AQ=="}, "neither 0x04"),
        ({"timeout": "2m"}, "between 100ms and 1m"),
        ({"ca": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_what_cannot_be_a_witness_is_refused(folder: Path, wrong: dict[str, str], words: str) -> None:
    found = told(folder, changed("evidence.witnesses", [{**GOOD, **wrong}]))
    assert len(found) == 1
    assert words in found[0]


def test_a_witness_that_stands_there_twice_is_refused(folder: Path) -> None:
    (found,) = told(folder, changed("evidence.witnesses", [GOOD, GOOD]))
    assert "twice" in found


def test_the_interval_is_bounded(folder: Path) -> None:
    (found,) = told(folder, changed("evidence.witness_interval", "10ms"))
    assert "between 1s and 1h" in found


def test_plain_http_to_another_machine_is_a_warning(folder: Path) -> None:
    (warning,) = warned(folder, changed("evidence.witnesses", [{**GOOD, "url": "http://witness.example"}]))
    assert "hold back" in warning


@pytest.mark.enable_socket
async def test_the_client_asks_the_configured_witness_while_the_gateway_runs(folder: Path, tmp_path: Path) -> None:
    signer, clock, events, asked = CosigningKey(), SystemClock(), list[Event](), asyncio.Event()
    recorder = await Recorder.open(tmp_path / "var", clock)
    strict = StrictWitness(signer, recorder.verifier, clock.now_ns() // 10**9)

    async def answer(request: web.Request) -> web.Response:
        status, body = strict.answer(await request.read())
        return web.Response(status=status, body=body)

    async def note(event: Event) -> None:
        events.append(event)
        asked.set()
        await recorder.append(event)

    application = web.Application()
    application.router.add_post("/add-checkpoint", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    configured = msgspec.structs.replace(settings(folder, [{"url": url, "key": KEY}]), data_dir=tmp_path / "var")
    async with witnessed(configured, recorder, note, clock) as client:
        await asked.wait()
        numbers = {family.name: dict(family.read()) for family in witness_families(client, recorder)}
    await runner.cleanup()
    await recorder.close()
    assert events[0].type is EventType.WITNESS_COSIGNED
    assert numbers["querywarden_witness_answers"] == {"cosigned": 1}
    assert numbers["querywarden_witness_lag_leaves"][signer.key.name] <= 1
    assert 0 <= numbers["querywarden_witness_age_seconds"][signer.key.name] < 60


async def test_without_witnesses_nothing_is_asked_and_nothing_counted(folder: Path, tmp_path: Path) -> None:
    recorder = await Recorder.open(tmp_path / "var", SystemClock())

    async def note(_: Event) -> None:
        raise AssertionError

    async with witnessed(settings(folder, []), recorder, note, SystemClock()) as client:
        assert witness_families(client, recorder) == []
    await recorder.close()
