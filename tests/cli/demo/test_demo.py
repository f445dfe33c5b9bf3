"""The demo as a newcomer runs it: the whole tour, the lines it prints, its end, and what it leaves."""

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.demo import choose_ports, make_folder, place, tour
from gateway.core.errors import ConfigError
from tests.cli.demo.running import PATIENCE_SECONDS, UP, Demo, started

KEPT = {
    "bundle.tar.gz", "database-password", "gateway.log", "gateway.yaml", "idp", "policy.pub", "recording",
    "recording.pub", "tls", "tokens", "var",
}  # fmt: skip


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line, pasted into a shell."""
    return subprocess.run(
        ["/bin/sh", "-c", line], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def psql(line: str, *statements: str) -> subprocess.CompletedProcess[str]:
    """The line that is printed, with statements at its end."""
    return shell(" ".join([line, "-At", *(f"-c {shlex.quote(statement)}" for statement in statements)]))


def without_psql(folder: Path) -> dict[str, str]:
    """An environment in which no program is found by its name."""
    return {**os.environ, "PATH": str(folder)}


@pytest.fixture(scope="module", params=["machine", "wheel"])
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that runs: with the machine's PostgreSQL and psql, and with the wheel's, which has no TLS."""
    options = ("--bundled",) if request.param == "wheel" else ()
    environment = without_psql(tmp_path_factory.mktemp("empty")) if options else os.environ
    with started(*options, environment=environment) as running:
        running.wait_for(UP)
        yield running


def test_the_whole_tour_proves_every_step_and_leaves_only_the_folder(tmp_path: Path) -> None:
    with started("--run", "--bundled", environment=without_psql(tmp_path)) as demo:
        summary = demo.wait_for("steps proved what they say")
        demo.wait_for("To go on by hand")
        assert demo.process.wait(timeout=PATIENCE_SECONDS) == 0, "\n".join(demo.said)
        steps = len(tour.SCENES) + 8
        assert summary == f"{steps} of {steps} steps proved what they say."
        assert sum(line.startswith("   proved: ") for line in demo.said) == steps
        assert list(demo.temporary.iterdir()) == []
        assert {path.name for path in demo.folder.iterdir()} == {*KEPT, "var-changed"}
        assert demo.folder.stat().st_mode & 0o077 == 0
        assert demo.left_running() == []
        verify = next(line for line in demo.said if "-m gateway audit verify" in line)
        assert "none changed since they were signed" in shell(verify).stdout


def test_the_psql_line_that_is_printed_works(demo: Demo) -> None:
    line = demo.printed("PGPASSWORD=")
    result = psql(line, "SELECT brand, pan, cvv FROM cards WHERE id = 1", "DROP TABLE cards")
    assert result.stdout.splitlines()[0] == "visa|************1111|"
    assert "ERROR:  drop is blocked on payments" in result.stderr
    assert result.returncode == 1


def test_the_other_lines_that_are_printed_work(demo: Demo) -> None:
    tried, searched, explained, verified = [
        line.strip() for line in demo.said if " policy try " in line or " audit " in line
    ]
    assert "decision   mask" in shell(tried).stdout
    assert psql(demo.printed("PGPASSWORD="), "SELECT 1").stdout == "1\n"
    found = shell(f"{searched} --limit 1 --json").stdout
    did = found.partition('"did":"')[2].partition('"')[0]
    assert shell(explained.replace("DECISION", did)).stdout.startswith(f"decision    {did}")
    assert shell(verified).returncode == 0


def test_every_token_that_is_named_lets_its_agent_in(demo: Demo) -> None:
    line = demo.printed("PGPASSWORD=")
    first, *others = place.AGENTS
    for agent in others:
        result = psql(line.replace(f"tokens/{first}", f"tokens/{agent}"), "SELECT name FROM customers")
        granted = bool(place.AGENTS[agent])
        assert ("Ada Brandt" in result.stdout) == granted
        assert ("access.no_grant" in result.stderr) != granted


@pytest.mark.parametrize(
    ("moment", "number"),
    [("PostgreSQL", signal.SIGTERM), ("are up after", signal.SIGINT), (UP, signal.SIGTERM), (UP, signal.SIGHUP)],
)
def test_whenever_it_is_stopped_nothing_is_left_running_or_on_disk(moment: str, number: signal.Signals) -> None:
    with started() as demo:
        demo.wait_for(moment)
        assert demo.end(number) in ({0} if moment == UP else {0, 130})  # 0: it was up before the signal came
        assert demo.left_running() == []
        assert list(demo.temporary.iterdir()) == []


def test_ports_are_consecutive_from_the_base() -> None:
    ports = choose_ports(6432, plaintext=True)
    assert (ports.gateway, ports.database, ports.plaintext) == (6432, 6433, 6434)
    assert choose_ports(None, plaintext=False).plaintext is None


def test_a_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep", encoding="utf-8")
    with pytest.raises(ConfigError, match="not empty"):
        make_folder(tmp_path)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "keep"
    assert make_folder(tmp_path / "new" / "one").stat().st_mode & 0o777 == 0o700
