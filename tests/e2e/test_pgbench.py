"""pgbench's built-in scripts in guarded posture, a classified table beside them: they do what they do directly."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from tests.support.bundle import Site
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster, password_of

SCRIPTS = ("tpcb-like", "simple-update", "select-only")
MODES = ("simple", "extended", "prepared")
TRANSACTIONS = 40
CONTENT = (
    "SELECT bid, bbalance, filler FROM pgbench_branches ORDER BY bid",
    "SELECT tid, bid, tbalance, filler FROM pgbench_tellers ORDER BY tid",
    "SELECT count(*), sum(abalance), md5(string_agg(aid || ':' || abalance, ',' ORDER BY aid)) FROM pgbench_accounts",
    "SELECT tid, bid, aid, delta, filler FROM pgbench_history ORDER BY tid, bid, aid, delta",
    "SELECT * FROM guard.cards ORDER BY id",
)  # fmt: skip
GUARD = """
CREATE SCHEMA guard; CREATE TABLE guard.cards (id int PRIMARY KEY, pan text);
INSERT INTO guard.cards VALUES (1, '4111111111111111');
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """Two copies of pgbench's database: one reached directly, one through the gateway."""

    cluster: Cluster
    direct: str
    behind: str
    gateway: Gateway

    def run(self, *arguments: str, through: bool) -> str:
        """What pgbench says. Fails when it does not end well."""
        environment = _direct(self.cluster, self.direct) if not through else _through(self.gateway)
        program = str(self.cluster.binaries / "pgbench")
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def content(self, database: str) -> list[object]:
        """Everything but the times."""
        with self.cluster.connect(database) as connection:
            return [connection.execute(text).fetchall() for text in CONTENT]


def _direct(cluster: Cluster, database: str) -> Mapping[str, str]:
    tls = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(cluster.tls.ca)}
    own = {"PGHOST": HOST, "PGPORT": str(cluster.port), "PGUSER": "postgres", "PGDATABASE": database}
    return {**os.environ, **tls, **own, "PGPASSWORD": password_of("postgres")}


def _through(gateway: Gateway) -> Mapping[str, str]:
    tls = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(gateway.tls.ca)}
    own = {"PGHOST": HOST, "PGPORT": str(gateway.port), "PGUSER": "agent", "PGDATABASE": "bench"}
    return {**os.environ, **tls, **own, "PGPASSWORD": gateway.token()}


@pytest.fixture(scope="module")
def bench(cluster: Cluster) -> Iterator[Bench]:
    template = cluster.create_database()
    cluster.run(GUARD, template)
    subprocess.run(
        [str(cluster.binaries / "pgbench"), "-i", "-q", "-s", "1"],
        env=_direct(cluster, template), capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    direct, behind = (cluster.create_database(template) for _ in range(2))
    grant = {"groups": ["agents"], "connections": ["bench"], "relations": ["*"], "actions": ["*"]}
    site = Site({"bench": {"guard.cards": {"pan": ["pan"]}}}, {"grants": [grant], "masks": {"pan": "last4"}})
    with running_gateway(cluster, {"bench": Upstream(behind, "postgres")}, site) as gateway:
        yield Bench(cluster, direct, behind, gateway)
    for name in (template, direct, behind):
        cluster.drop_database(name)


def counted(report: str) -> tuple[str, str]:
    """Transactions processed and failed, as pgbench counts them."""
    processed = re.search(r"number of transactions actually processed: (\S+)", report)
    failed = re.search(r"number of failed transactions: (\d+)", report)
    assert processed is not None
    return processed.group(1), failed.group(1) if failed else "0"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_leaves_what_it_leaves_directly(bench: Bench, script: str, mode: str) -> None:
    arguments = ("-b", script, "-M", mode, "-t", str(TRANSACTIONS), "--random-seed=7", "-c", "1")
    reports = [bench.run(*arguments, through=through) for through in (False, True)]
    assert [counted(report) for report in reports] == [(f"{TRANSACTIONS}/{TRANSACTIONS}", "0")] * 2
    assert bench.content(bench.behind) == bench.content(bench.direct)


def test_several_clients_at_once_lose_nothing(bench: Bench, say: Callable[[str], None]) -> None:
    report = bench.run("-b", "tpcb-like", "-M", "prepared", "-t", "25", "-c", "4", "-n", through=True)
    assert counted(report) == ("100/100", "0")
    with bench.cluster.connect(bench.behind) as connection:
        sums = connection.execute("""
            SELECT (SELECT sum(abalance) FROM pgbench_accounts) - (SELECT sum(tbalance) FROM pgbench_tellers)
        """).fetchone()
    say(f"pgbench through the gateway: {re.findall(r'tps = [0-9.]+', report)}, guarded, 4 clients, prepared")
    assert sums is not None


def test_select_only_reads_what_is_there(bench: Bench) -> None:
    """The program does not show what it reads, so its one statement is asked here."""
    text = "SELECT abalance FROM pgbench_accounts WHERE aid = %s"
    with bench.cluster.connect(bench.behind) as direct, bench.gateway.connect("bench") as through:
        for aid in range(1, 100_000, 9_973):
            for prepare in (False, True):
                wanted = direct.execute(text, [aid], prepare=prepare).fetchall()
                assert through.execute(text, [aid], prepare=prepare).fetchall() == wanted
