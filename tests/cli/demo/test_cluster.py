"""The demo's server starts, is reachable on loopback with its password only, and is gone afterwards."""

import os
import socket
from pathlib import Path

import psycopg
import pytest

from gateway.cli.demo import binaries, cluster
from gateway.core.errors import Unavailable


@pytest.fixture
def folder(demo_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A fresh one for each test."""
    path = demo_folder / str(request.node.name)
    path.mkdir(mode=0o711)
    return path


@pytest.fixture(params=["machine", "wheel"])
def found(request: pytest.FixtureRequest) -> binaries.Binaries:
    """The server of the machine (or the wheel's when it has none), and the wheel's."""
    bundled = binaries.find_bundled()
    assert bundled is not None
    return binaries.find() if request.param == "machine" else bundled


def login(server: cluster.Cluster, password: str) -> str:
    with psycopg.connect(
        host=cluster.HOST, port=server.port, user=cluster.SUPERUSER, password=password, dbname="postgres"
    ) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0])


def test_it_runs_until_the_block_ends_and_asks_for_its_password(folder: Path, found: binaries.Binaries) -> None:
    port = cluster.free_port()
    with cluster.Cluster(found, folder / "postgres", port, "right") as server:
        assert login(server, "right").startswith(found.version)
        with pytest.raises(psycopg.OperationalError):
            login(server, "wrong")
        assert not (folder / "superuser").exists()
    assert not cluster.accepts(port)
    server.stop()


def test_programs_the_servers_user_cannot_reach_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundled = binaries.find_bundled()
    assert bundled is not None
    monkeypatch.setattr(cluster, "reachable_by_others", lambda _folder: False)
    with cluster.Cluster(bundled, folder / "postgres", cluster.free_port(), "right") as server:
        assert login(server, "right").startswith(bundled.version)
        copied = server.binaries.folder.is_relative_to(folder)
    assert copied == (os.geteuid() == 0)


def test_a_taken_port_is_reported_and_never_mistaken_for_the_server(folder: Path, found: binaries.Binaries) -> None:
    with socket.socket() as other:
        other.bind((cluster.HOST, 0))
        other.listen()
        server = cluster.Cluster(found, folder / "postgres", other.getsockname()[1], "right")
        with pytest.raises(Unavailable, match="is taken"):
            server.start()


def test_a_server_that_ends_at_once_is_reported_with_its_log(folder: Path, found: binaries.Binaries) -> None:
    server = cluster.Cluster(found, folder / "postgres", cluster.free_port(), "right")
    server.create()
    (server.folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n", encoding="utf-8")
    with pytest.raises(Unavailable, match=r"postgresql\.log"):
        server.start()
    assert "no_such_setting" in (folder / "postgresql.log").read_text(encoding="utf-8")


def test_what_initdb_says_is_passed_on(folder: Path, found: binaries.Binaries) -> None:
    broken = binaries.Binaries(folder=folder / "bin", version=found.version, bundled=False)
    broken.folder.mkdir()
    (broken.folder / "initdb").write_text("#!/bin/sh\necho no space left >&2\nexit 1\n", encoding="utf-8")
    for path in (broken.folder, broken.folder / "initdb"):
        path.chmod(0o755)
    with pytest.raises(Unavailable, match="initdb: no space left"):
        cluster.Cluster(broken, folder / "postgres", cluster.free_port(), "right").create()
