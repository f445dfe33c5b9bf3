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
from typing import Annotated, NoReturn

import cyclopts
from cyclopts.validators import Number
from rich.console import Console

from gateway.cli.demo import binaries, desk, hints, payments, place, process, shell, tour
from gateway.cli.demo.cluster import Cluster, free_port
from gateway.cli.demo.scene import show
from gateway.cli.demo.stage import Stage
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.ids import random_bytes

NOT_PROVED = 1
PORTS = Number(gte=1024, lte=65000)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""a supervisor's, and a terminal's that was closed; Ctrl-C is Python's own"""


def demo(
    *,
    run: Annotated[bool, cyclopts.Parameter(negative="")] = False,
    port_base: Annotated[int | None, cyclopts.Parameter(validator=PORTS)] = None,
    folder: Path | None = None,
    bundled: Annotated[bool, cyclopts.Parameter(negative="")] = False,
) -> int:
    """A real PostgreSQL behind the gateway, with nothing to configure.

    Parameters
    ----------
    run
        Play the guided tour, say what each step proved, and stop; exits 1 when a step did not prove what it says.
    port_base
        Use this port for the gateway and the next ones for the rest, instead of free ones.
    folder
        Put configuration, tokens and log there, instead of in a new temporary folder. It must be empty or not exist.
    bundled
        Take the PostgreSQL that comes with querywarden[demo], even where the machine has one.

    """
    for number in ENDINGS:
        signal.signal(number, signal.default_int_handler)  # they unwind, so that nothing is left running
    console = Console(highlight=False, markup=False, soft_wrap=True)
    found = binaries.require_bundled() if bundled else binaries.find()
    psql = shell.find(found)
    ports = choose_ports(port_base, plaintext=psql is not None and not psql.speaks_tls)
    with standing(console, found, ports, make_folder(folder)) as stage:
        if not run:
            with suppress(KeyboardInterrupt):  # that is how it ends
                hints.by_hand(console, stage, psql, ports.plaintext)
                wait()
            return 0
        proved = play(console, stage)
    hints.afterwards(console, stage)
    return 0 if proved else NOT_PROVED


def choose_ports(base: int | None, *, plaintext: bool) -> place.Ports:
    """Consecutive ones from the base, else free ones."""
    first, second, third = (base, base + 1, base + 2) if base else (free_port(), free_port(), free_port())
    return place.Ports(gateway=first, database=second, plaintext=third if plaintext else None)


def make_folder(named: Path | None) -> Path:
    """The folder that was named, or a new one, open to its owner only. Raises ConfigError when it holds anything."""
    if named is None:
        return Path(tempfile.mkdtemp(prefix="querywarden-demo-")).resolve()
    named.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(named.iterdir()):
        raise ConfigError("config.invalid", f"{named}: the folder is not empty; each demo writes its own anew")
    named.chmod(0o700)
    return named.resolve()


@contextmanager
def standing(console: Console, found: binaries.Binaries, ports: place.Ports, folder: Path) -> Iterator[Stage]:
    """Database and gateway, up; on leaving, down. The folder with the log stays, the database's files do not.

    The database has a folder of its own: under root another user owns it, who must be able to reach it.
    """
    begin = time.monotonic()
    password, superuser = random_bytes(16).hex(), random_bytes(16).hex()
    console.print(f"PostgreSQL {found.version} from {found.folder}")
    place.furnish(folder, ports, password, SystemClock())
    data = Path(tempfile.mkdtemp(prefix="querywarden-postgres-")).resolve()
    try:
        with Cluster(found, data / "postgres", ports.database, superuser) as cluster:
            payments.fill(cluster, password)
            with process.gateway(folder, ports.gateway):
                console.print(f"gateway and database are up after {time.monotonic() - begin:.1f} s")
                console.print(f"folder {folder}: configuration, tokens, log")
                yield Stage(folder=folder, port=ports.gateway, agents=tuple(place.AGENTS))
    finally:
        shutil.rmtree(data, ignore_errors=True)


def play(console: Console, stage: Stage) -> bool:
    """Play the tour; True when every step proved what it says."""
    proved: list[bool] = []
    for scene in chain(tour.play(stage), desk.play(stage)):
        show(console, len(proved) + 1, scene)
        proved.append(scene.holds)
    console.print(f"\n{proved.count(True)} of {len(proved)} steps proved what they say.")
    return all(proved)


def wait() -> NoReturn:
    """Until Ctrl-C, SIGTERM or the terminal's end. Raises KeyboardInterrupt."""
    while True:
        signal.pause()
