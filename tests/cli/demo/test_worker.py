"""The demo's signing key, which everybody has, is good for the demo's gateway only: `serve` denies everything."""

from pathlib import Path

import pytest

from gateway.cli.demo import place, process
from gateway.cli.demo.cluster import Cluster, free_port
from gateway.cli.demo.stage import Stage
from gateway.core.clock import SystemClock
from tests.cli.demo.conftest import PASSWORD

SUPPORT = "support-agent"
HARMLESS = ("SELECT name FROM customers", "SELECT 1", "SHOW server_version", "BEGIN")


@pytest.fixture
def stage(demo_server: Cluster, tmp_path: Path) -> Stage:
    """A demo's folder before the tests' database; no gateway runs yet."""
    ports = place.Ports(gateway=free_port(), database=demo_server.port)
    place.furnish(tmp_path, ports, PASSWORD, SystemClock())
    return Stage(folder=tmp_path, port=ports.gateway, agents=tuple(place.AGENTS))


def test_serve_refuses_the_demo_bundle_denies_everything_and_says_why(stage: Stage) -> None:
    with process.gateway(stage.folder, stage.port, "gateway", "serve", "-c"):
        answers = [stage.ask(SUPPORT, statement) for statement in HARMLESS]
    assert [answer.rows for answer in answers] == [[]] * len(HARMLESS)
    assert all(answer.sqlstate for answer in answers), answers
    log = (stage.folder / "gateway.log").read_text(encoding="utf-8")
    assert "bundle.demo" in log
    assert "bundle.activated" not in log


def test_the_demos_own_process_takes_it(stage: Stage) -> None:
    with process.gateway(stage.folder, stage.port):
        assert stage.ask(SUPPORT, "SELECT name FROM customers WHERE id = 1").rows == [("Ada Brandt",)]
    assert "bundle.activated" in (stage.folder / "gateway.log").read_text(encoding="utf-8")
