"""Time-stamping authorities are configured by address and roots, and asked while the gateway runs."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from gateway.config import anchors
from gateway.config.anchors import anchor_families, anchor_roots, anchored
from gateway.config.quantities import Duration
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.events import Event, EventType
from gateway.evidence.anchor import MISSING
from gateway.evidence.recorder import Recorder
from tests.config.world import changed, read, told
from tests.support.tsa import Authority

GOOD = {"url": "http://tsa.example/tsr", "ca": "ca.pem"}


def settings(folder: Path, configured: list[dict[str, str]]) -> Settings:
    found = read(folder, changed("evidence.anchors", configured)).settings
    assert found is not None
    return found


def test_an_authority_is_an_address_and_its_roots(folder: Path) -> None:
    evidence = settings(folder, [GOOD]).evidence
    assert [anchor.every for anchor in evidence.anchors] == [Duration(86_400)]
    assert len(anchor_roots(evidence)) == 1
    assert anchor_roots(settings(folder, []).evidence) == ()


def test_roots_that_have_become_unreadable_are_said(folder: Path, tmp_path: Path) -> None:
    evidence = settings(folder, [GOOD]).evidence
    spoilt = tmp_path / "roots.pem"
    spoilt.write_bytes(b"nothing")
    anchor = msgspec.structs.replace(evidence.anchors[0], ca=spoilt)
    with pytest.raises(ConfigError, match="cannot be read"):
        anchor_roots(msgspec.structs.replace(evidence, anchors=(anchor,)))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "tsa.example"}, "not an address"),
        ({"url": "ftp://tsa.example"}, "not an address"),
        ({"url": "http://me@tsa.example"}, "not an address"),
        ({"ca": "nowhere.pem"}, "nowhere.pem"),
        ({"ca": "server.key"}, "no certificates"),
        ({"every": "1s"}, "between 1m and 7d"),
        ({"every": "8d"}, "between 1m and 7d"),
        ({"timeout": "10m"}, "between 100ms and 5m"),
    ],
)
def test_what_cannot_be_an_authority_is_refused(folder: Path, wrong: dict[str, str], words: str) -> None:
    (found,) = told(folder, changed("evidence.anchors", [{**GOOD, **wrong}]))
    assert words in found


def test_without_the_extra_the_configuration_says_how_to_install_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchors, "is_available", lambda: False)
    (found,) = told(folder, changed("evidence.anchors", [GOOD]))
    assert MISSING in found
    assert told(folder, changed("evidence.anchors", [])) == []


@pytest.mark.enable_socket
async def test_the_configured_authority_stamps_the_log_while_the_gateway_runs(folder: Path, tmp_path: Path) -> None:
    authority, clock, events, stamped = Authority(tmp_path / "tsa"), SystemClock(), list[Event](), asyncio.Event()
    recorder = await Recorder.open(tmp_path / "var", clock)

    async def note(event: Event) -> None:
        events.append(event)
        stamped.set()
        await recorder.append(event)

    async with authority.serving() as url:
        configured = settings(folder, [{"url": url, "ca": str(authority.roots)}])
        configured = msgspec.structs.replace(configured, data_dir=tmp_path / "var")
        async with anchored(configured, recorder, note, clock) as client:
            await stamped.wait()
            (family,) = anchor_families(client)
    await recorder.close()
    assert events[0].type is EventType.LOG_ANCHORED
    assert set(family.read()) == {"127.0.0.1"}


async def test_without_authorities_nobody_is_asked_and_nothing_counted(folder: Path, tmp_path: Path) -> None:
    recorder = await Recorder.open(tmp_path / "var", SystemClock())

    async def note(_: Event) -> None:
        raise AssertionError

    async with anchored(settings(folder, []), recorder, note, SystemClock()) as client:
        assert anchor_families(client) == []
    await recorder.close()
