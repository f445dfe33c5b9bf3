"""The line a person pastes fits the psql they have."""

from pathlib import Path

import pytest

from gateway.cli.demo import shell
from gateway.cli.demo.binaries import Binaries
from gateway.cli.demo.stage import Stage

STAGE = Stage(folder=Path("/tmp/demo"), port=6432, agents=("agent",))  # noqa: S108 -- never made


@pytest.fixture
def without_psql(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine with no psql on PATH, and a server's folder that has one."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    (tmp_path / "psql").touch()
    return tmp_path


def test_a_psql_on_path_is_used_with_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "psql").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = shell.find(Binaries(folder=tmp_path, version="18.4", bundled=True))
    assert found == shell.Psql(program="psql", speaks_tls=True)
    assert shell.line(found, STAGE, "agent", 6434) == (
        'PGPASSWORD="$(cat /tmp/demo/tokens/agent)" psql '
        "'host=127.0.0.1 port=6432 dbname=payments user=agent sslmode=verify-full sslrootcert=/tmp/demo/tls/ca.pem'"
    )


def test_the_wheels_psql_is_sent_to_the_listener_without_tls(without_psql: Path) -> None:
    found = shell.find(Binaries(folder=without_psql, version="18.4", bundled=True))
    line = shell.line(found, STAGE, "agent", 6434)
    assert f"{without_psql}/psql " in line
    assert "port=6434" in line
    assert line.endswith("sslmode=disable'")


def test_the_psql_beside_the_machines_server_speaks_tls(without_psql: Path) -> None:
    found = shell.find(Binaries(folder=without_psql, version="16.1", bundled=False))
    assert found is not None
    assert found.speaks_tls


def test_without_any_psql_the_line_still_says_how(without_psql: Path) -> None:
    assert shell.find(Binaries(folder=without_psql / "bin", version="18.4", bundled=True)) is None
    assert " psql 'host=127.0.0.1 port=6432 " in shell.line(None, STAGE, "agent", None)
