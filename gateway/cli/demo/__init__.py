"""`querywarden demo`: the main job with nothing to configure.

A throw-away PostgreSQL with a payments schema, a development identity provider, the gateway, and a tour that proves
what it shows. Everything listens on loopback only, and stops when the command ends.
"""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Annotated

import cyclopts
from cyclopts.validators import Number
from rich.console import Console

from gateway.cli.demo import binaries, desk, payments, place, process, shell, tour
from gateway.cli.demo.cluster import Cluster, free_port
from gateway.cli.demo.scene import show
from gateway.cli.demo.stage import Stage
from gateway.core.clock import SystemClock
from gateway.core.ids import random_bytes

NOT_PROVED = 1
PORTS = Number(gte=1024, lte=65000)


def demo(
    *,
    run: Annotated[bool, cyclopts.Parameter(negative="")] = False,
    port_base: Annotated[int | None, cyclopts.Parameter(validator=PORTS)] = None,
) -> int:
    """A real PostgreSQL behind the gateway, with nothing to configure.

    Parameters
    ----------
    run
        Play the guided tour, say what each step proved, and stop; exits 1 when a step did not prove what it says.
    port_base
        Use this port for the gateway and the next ones for the rest, instead of free ones.

    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both unwind, so that nothing is left running
    console = Console(highlight=False, soft_wrap=True)
    with standing(console, port_base) as stage:
        if run:
            return play(console, stage)
        console.print("\nRunning. Ctrl-C stops everything.")
        wait()
    return 0


def choose_ports(base: int | None, *, plaintext: bool) -> place.Ports:
    """Consecutive ones from the base, else free ones."""
    first, second, third = (base, base + 1, base + 2) if base else (free_port(), free_port(), free_port())
    return place.Ports(gateway=first, database=second, plaintext=third if plaintext else None)


@contextmanager
def standing(console: Console, port_base: int | None) -> Iterator[Stage]:
    """Database and gateway, up; on leaving, down. The folder with the log stays, the database's files do not."""
    begin = time.monotonic()
    found = binaries.find()
    psql = shell.find(found)
    ports = choose_ports(port_base, plaintext=psql is not None and not psql.speaks_tls)
    folder = Path(tempfile.mkdtemp(prefix="querywarden-demo-")).resolve()
    password, superuser = random_bytes(16).hex(), random_bytes(16).hex()
    console.print(f"PostgreSQL {found.version} from {found.folder}")
    place.furnish(folder, ports, password, SystemClock())
    try:
        with Cluster(found, folder / "postgres", ports.database, superuser) as cluster:
            payments.fill(cluster, password)
            with process.gateway(folder, ports.gateway):
                console.print(f"up after {time.monotonic() - begin:.1f} s")
                stage = Stage(folder=folder, port=ports.gateway, agents=tuple(place.AGENTS))
                introduce(console, stage, shell.line(psql, stage, stage.agents[0], ports.plaintext))
                yield stage
    finally:
        for name in ("postgres", "postgresql"):
            shutil.rmtree(folder / name, ignore_errors=True)


def play(console: Console, stage: Stage) -> int:
    """Play the tour; 0 when every step proved what it says."""
    proved: list[bool] = []
    for scene in chain(tour.play(stage), desk.play(stage)):
        show(console, len(proved) + 1, scene)
        proved.append(scene.holds)
    console.print(f"\n{proved.count(True)} of {len(proved)} steps proved what they say.")
    return 0 if all(proved) else NOT_PROVED


def introduce(console: Console, stage: Stage, psql_line: str) -> None:
    """Say where things are, and how to go on by hand."""
    console.print(f"folder  {stage.folder}  (configuration, tokens, log; the database is gone when this ends)")
    for agent in stage.agents:
        groups = ", ".join(place.AGENTS[agent]) or "none"
        console.print(f"token   {stage.token_file(agent)}  groups: {groups}")
    console.print(f"psql    {psql_line}")


def wait() -> None:
    """Until Ctrl-C or SIGTERM."""
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()
