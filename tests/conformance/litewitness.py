"""A real witness: litewitness of filippo.io/torchwood, its key in an ssh-agent of ours, told of one log."""

import os
import re
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway.evidence.cosign import WitnessKey
from gateway.evidence.note import Verifier
from tests.conformance.go_tools import built

AGENT, WITNESS = "./agent", "filippo.io/torchwood/cmd/litewitness"
NAME = "witness.test/w1"
START_SECONDS = 30.0
TABLES = """
CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);
CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL, FOREIGN KEY(origin) REFERENCES log(origin));
"""
EMPTY = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


class Litewitness(NamedTuple):
    """One that runs."""

    url: str
    key: WitnessKey
    database: Path

    def seen(self) -> int:
        """Leaves of the tree it saw last."""
        with sqlite3.connect(self.database) as connection:
            (size,) = connection.execute("SELECT tree_size FROM log").fetchone()
        connection.close()
        return int(size)


@contextmanager
def litewitness(folder: Path, log: Verifier, port: int) -> Iterator[Litewitness]:
    """It runs as long as the block does."""
    programs = built("witness", AGENT, WITNESS, "github.com/transparency-dev/tessera/cmd/fsck")
    database, agent_socket = folder / "witness.db", folder / "agent"
    connection = sqlite3.connect(database)
    connection.executescript(TABLES)
    connection.execute("INSERT INTO log VALUES (?, 0, ?)", (log.name, EMPTY))
    connection.execute("INSERT INTO key VALUES (?, ?)", (log.name, log.encode()))
    connection.commit()
    connection.close()
    agent = subprocess.Popen([programs / "agent", agent_socket], stdout=subprocess.PIPE, text=True)
    try:
        assert agent.stdout is not None
        fingerprint = agent.stdout.readline().strip()
        command: list[str | Path] = [programs / "litewitness", "-name", NAME, "-db", database, "-key", fingerprint]
        command += ["-ssh-agent", agent_socket, "-listen", f"127.0.0.1:{port}"]
        said = folder / "witness.log"
        with said.open("wb") as output:
            witness = subprocess.Popen(command, stderr=output, cwd=folder, env={"PATH": os.environ["PATH"]})
        try:
            key = _key(said, witness)
            yield Litewitness(f"http://127.0.0.1:{port}", key, database)
        finally:
            witness.terminate()
            witness.wait()
    finally:
        agent.terminate()
        agent.wait()
        assert agent.stdout is not None
        agent.stdout.close()


def _key(said: Path, witness: subprocess.Popen[bytes]) -> WitnessKey:
    """Its key, which it says when it starts; by the time it says that it listens, it does so at once."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and witness.poll() is None:
        text = said.read_text(encoding="utf-8")
        found = re.search(r'vkey="?([^\s"]+)', text)
        if found and "msg=listening" in text:
            return WitnessKey.decode(found[1])
        time.sleep(0.05)
    raise AssertionError(said.read_text(encoding="utf-8"))
