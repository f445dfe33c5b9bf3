"""The section `policy` becomes what it says: the engine that decides, the one that checks, where bundles come from."""

from pathlib import Path

import pytest

from gateway.config.ruling import Ruling, make_ruling, server_of, source_of
from gateway.config.settings import Settings
from gateway.core.events import Event, EventType
from gateway.core.verdict import Outcome
from gateway.policy.opa import OpaEngine
from gateway.policy.source import FileSource, UrlSource
from gateway.policy.twin import Twin
from tests.config.world import changed, furnish, read
from tests.policy.world import FixedClock, request
from tests.support.bundle import everything_but_clear, write_signed_bundle

OPA = {"url": "unix:///nowhere/opa.sock", "timeout": "10ms"}


def settings(folder: Path, **policy: object) -> Settings:
    text = changed("policy", {"bundle": "bundle.tar.gz", "verification_keys": ["policy.pub"], **policy})
    found = read(folder, text).settings
    assert found is not None
    return found


class Bench:
    """What decides, made of settings, and what it notes."""

    def __init__(self, folder: Path, **policy: object) -> None:
        furnish(folder)
        write_signed_bundle(folder, everything_but_clear("payments"))
        (folder / "var").mkdir()
        self.events: list[Event] = []
        self.ruling: Ruling = make_ruling(settings(folder, **policy), FixedClock(), self.note)

    async def note(self, event: Event) -> None:
        self.events.append(event)


async def test_the_embedded_engine_decides_when_nothing_else_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.ruling.start()
    assert await bench.ruling.why_not() == []
    assert (await bench.ruling.decider.decide(request())).engine.startswith("embedded/")
    assert bench.ruling.shelf.laid is not None
    assert bench.ruling.shelf.laid.sha256 == bench.ruling.activator.active_sha256
    await bench.ruling.close()
    assert await bench.ruling.why_not() == ["policy.unavailable"]


async def test_an_opa_that_is_not_there_denies_and_says_so_where_readiness_is_asked_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, engine="opa", opa=OPA)
    await bench.ruling.start()
    active = bench.ruling.decider.active
    assert active is not None
    assert isinstance(active.engine, OpaEngine)
    assert await bench.ruling.why_not() == ["policy.opa_down"]
    assert (await bench.ruling.decider.decide(request())).decision.outcome is Outcome.DENY
    await bench.ruling.close()


@pytest.mark.parametrize(("engine", "second"), [("embedded", "opa"), ("opa", "embedded")])
async def test_a_second_engine_checks_the_first(tmp_path: Path, engine: str, second: str) -> None:
    bench = Bench(tmp_path, engine=engine, opa=OPA, second_engine={"engine": second, "percent": 100})
    await bench.ruling.start()
    active = bench.ruling.decider.active
    assert active is not None
    assert isinstance(active.engine, Twin)
    assert active.engine.name.startswith(engine)
    await bench.ruling.decider.decide(request())
    assert bench.ruling.comparison.unanswered == (1 if engine == "embedded" else 0)
    await bench.ruling.close()


async def test_a_candidate_is_taken_and_recorded_or_refused_and_recorded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, shadow="bundle.tar.gz")
    await bench.ruling.start()
    assert bench.events[-1].type is EventType.BUNDLE_SHADOWED
    verdict = await bench.ruling.decider.decide(request())
    assert verdict.shadow is not None
    assert verdict.shadow.change == ""
    (tmp_path / "bundle.tar.gz").write_bytes(b"nonsense")
    assert bench.ruling.candidate is not None
    assert bench.ruling.candidate.moved()
    await bench.ruling.close()


def test_addresses_are_polled_and_paths_are_watched(tmp_path: Path) -> None:
    furnish(tmp_path)
    assert isinstance(source_of(settings(tmp_path).policy, FixedClock()), FileSource)
    polled = source_of(settings(tmp_path, bundle="https://bundles.example/b").policy, FixedClock())
    assert isinstance(polled, UrlSource)
    assert polled.place == "https://bundles.example/b"


def test_everything_that_is_said_of_an_opa_reaches_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(tmp_path)
    monkeypatch.setenv("TOKEN", "secret")
    said = {
        "url": "https://opa.example", "bundle": "pci", "ca": "ca.pem", "token": {"env": "TOKEN"},
        "tls": {"cert": "server.pem", "key": "server.key"},
    }  # fmt: skip
    opa = settings(tmp_path, opa=said).policy.opa
    assert opa is not None
    server = server_of(opa)
    assert (server.url, server.bundle, server.timeout) == ("https://opa.example", "pci", 0.25)
    assert server.ca == tmp_path / "ca.pem"
    assert server.cert == (tmp_path / "server.pem", tmp_path / "server.key")
    assert server.token is not None
    assert server.token() == "secret"
    assert "secret" not in repr(opa)
