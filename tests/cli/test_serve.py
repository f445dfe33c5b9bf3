"""`serve` as an operator runs it: signals, exit codes, what it prints, and what it never does."""

import ctypes
import os
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import psycopg
import pytest

from gateway import cli
from gateway.cli.serve import harden
from tests.support.bundle import everything_but_clear
from tests.support.gateway import ROOT, Upstream, await_listener, running_gateway, serve
from tests.support.postgres import Cluster

DEMO_BUNDLE = ROOT / "bundles" / "demo"


@pytest.fixture(scope="module")
def upstream(cluster: Cluster, payments_template: str) -> Upstream:
    return Upstream(cluster.create_database(payments_template))


def ask_until_it_ends(connection: psycopg.Connection) -> None:
    for _ in range(200):
        connection.execute("SELECT 1")
        time.sleep(0.05)


def test_a_statement_under_way_ends_before_sigterm_stops_the_gateway(cluster: Cluster, upstream: Upstream) -> None:
    site = everything_but_clear("payments")
    with running_gateway(cluster, {"payments": upstream}, site) as gateway:
        slow = "SELECT count(*) FROM generate_series(1, 3000000)"
        with closing(gateway.connect("payments")) as connection:
            answers = []
            with suppress(psycopg.OperationalError), connection.pipeline() as pipeline:
                cursor = connection.execute(slow)
                pipeline.sync()
                gateway.process.send_signal(signal.SIGTERM)
                answers.append(cursor.fetchone())  # leaving the pipeline asks for more, of a gateway that may be gone
            assert answers == [(3_000_000,)]
            with pytest.raises(psycopg.OperationalError):
                ask_until_it_ends(connection)
        assert gateway.process.wait(20) == 0
        assert "stopped" in gateway.output


def test_sighup_loads_the_bundle_again(cluster: Cluster, upstream: Upstream) -> None:
    site = everything_but_clear("payments")
    with running_gateway(cluster, {"payments": upstream}, site) as gateway, gateway.connect("payments") as connection:
        (gateway.folder / "bundle.tar.gz").write_bytes(b"nothing")
        gateway.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            if "bundle.rejected" in gateway.output:
                break
            connection.execute("SELECT 1")
        assert "bundle.rejected" in gateway.output
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_demos_bundle_is_refused_and_everything_is_denied(cluster: Cluster, upstream: Upstream) -> None:
    site = everything_but_clear("payments")
    with running_gateway(cluster, {"payments": upstream}, site) as gateway:
        gateway.stop()
        for name in ("bundle.tar.gz", "policy.pub"):
            (gateway.folder / name).write_bytes((DEMO_BUNDLE / name).read_bytes())
        gateway.process = serve(gateway.folder / "gateway.yaml")
        await_listener(gateway)
        with gateway.connect("payments") as connection, pytest.raises(psycopg.errors.CannotConnectNow):
            connection.execute("SELECT 1")
        assert "bundle.demo" in gateway.output


def test_every_mistake_of_a_configuration_is_told_at_once_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("version: 2\nlisteners: {postgres: {address: nowhere}}\nsurprise: 1\n")
    assert cli.main(["serve", "-c", str(path)]) == cli.USAGE
    said = capsys.readouterr().err
    for line in (":1:", ":2:", ":3:"):
        assert f"{path}{line}" in said


def test_more_than_one_worker_is_refused_rather_than_ignored(tmp_path: Path) -> None:
    assert cli.main(["serve", "-c", str(tmp_path / "gateway.yaml"), "--workers", "2"]) == cli.USAGE


def test_a_taken_port_ends_with_3(cluster: Cluster, upstream: Upstream) -> None:
    with running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments")) as gateway:
        config = gateway.folder / "second.yaml"
        text = (gateway.folder / "gateway.yaml").read_text(encoding="utf-8")
        config.write_text(text.replace("data_dir: var", "data_dir: var2"))
        environment = {**os.environ, "PASSWORD_AGENT_RO": "x"}
        command = [sys.executable, "-m", "gateway", "serve", "-c", str(config)]
        result = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert result.returncode == cli.UNREACHABLE, result.stderr
        assert str(gateway.port) in result.stderr
        assert "Traceback" not in result.stderr


def test_a_gateway_leaves_no_core_dump_and_cannot_be_looked_into(cluster: Cluster, upstream: Upstream) -> None:
    with running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments")) as gateway:
        process = Path("/proc") / str(gateway.process.pid)
        limits = (process / "limits").read_text(encoding="ascii")
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)
        assert (process / "environ").stat().st_uid == 0  # what is not dumpable belongs to root in /proc (proc(5))


def test_the_process_that_hardened_itself_says_that_it_is_not_dumpable() -> None:
    told, tell = os.pipe()
    child = os.fork()
    if not child:  # a process of its own, and of this program: what guards switch off is off in it, too
        try:
            with suppress(ValueError):
                resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))
            harden()
            os.write(tell, f"{ctypes.CDLL(None).prctl(3)} {resource.getrlimit(resource.RLIMIT_CORE)}".encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told, encoding="ascii") as said:
        assert said.read() == "0 (0, 0)"
