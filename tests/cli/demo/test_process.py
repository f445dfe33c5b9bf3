"""The gateway's process is waited for, stopped in order, and never left behind."""

from pathlib import Path

import pytest

from gateway.cli.demo import process
from gateway.cli.demo.cluster import accepts, free_port
from gateway.core.errors import Unavailable

LISTENS = """
import pathlib, signal, socket, sys
config = pathlib.Path(sys.argv[1])
def leave(*_): config.with_name("left").touch(); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
server = socket.create_server(("127.0.0.1", int(config.read_text())))
while True: server.accept()[0].close()
"""
FAILS = "import sys; sys.exit('the certificate is missing')"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A demo folder, and two modules that a process can run in the gateway's stead."""
    (tmp_path / "listens.py").write_text(LISTENS, encoding="utf-8")
    (tmp_path / "fails.py").write_text(FAILS, encoding="utf-8")
    return tmp_path


def test_it_answers_inside_the_block_and_has_drained_after_it(folder: Path) -> None:
    port = free_port()
    (folder / "gateway.yaml").write_text(str(port), encoding="utf-8")
    with process.gateway(folder, port, "listens"):
        assert accepts(port)
    assert not accepts(port)
    assert (folder / "left").exists()


def test_a_gateway_that_ends_at_once_is_reported_with_what_it_said(folder: Path) -> None:
    with pytest.raises(Unavailable, match="the certificate is missing"), process.gateway(folder, free_port(), "fails"):
        pytest.fail("the block must not run")


def test_a_taken_port_is_reported_before_anything_is_started(folder: Path) -> None:
    port = free_port()
    (folder / "gateway.yaml").write_text(str(port), encoding="utf-8")
    with (
        process.gateway(folder, port, "listens"),
        pytest.raises(Unavailable, match="is taken"),
        process.gateway(folder, port, "listens"),
    ):
        pytest.fail("the block must not run")


def test_an_error_inside_the_block_stops_it_too(folder: Path) -> None:
    port = free_port()
    (folder / "gateway.yaml").write_text(str(port), encoding="utf-8")
    with pytest.raises(RuntimeError), process.gateway(folder, port, "listens"):
        raise RuntimeError
    assert not accepts(port)
