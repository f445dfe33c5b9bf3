"""A throw-away PostgreSQL: made, started and stopped by the demo, holding nothing anybody would miss.

PostgreSQL refuses to run as root, so under root it runs as `postgres` or `nobody`, in a folder that user owns.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, TypedDict

from gateway.cli.demo.binaries import Binaries
from gateway.core.errors import Unavailable

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_SECONDS, STOP_SECONDS = 30.0, 10.0
STATUS_LINE = 7
"""of postmaster.pid, which says how far the server is"""
SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
# nothing here outlives the demo, so nothing waits for the disk
fsync = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 100
password_encryption = 'scram-sha-256'
"""


class _Account(TypedDict, total=False):
    user: int
    group: int
    extra_groups: Sequence[int]


class Cluster:
    """One server process and its folder. Use it in a `with` block: leaving stops the server."""

    def __init__(self, binaries: Binaries, folder: Path, port: int, password: str) -> None:
        self.binaries = binaries
        self.folder = folder
        self.port = port
        self.password = password
        self._account = unprivileged_account()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Make it and start it. What was started is stopped again when it does not come up, or is interrupted."""
        self.create()
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        """Stop it, whatever happened."""
        self.stop()

    def create(self) -> None:
        """Make the folder, hand it to the account the server runs as, and run initdb in it."""
        self.folder.mkdir(mode=0o700)
        if self._account:
            open_path(self.folder.parent)
            os.chown(self.folder, self._account["user"], self._account["group"])
            if not reachable_by_others(self.binaries.folder):
                self.binaries = copied(self.binaries, self.folder.parent / "postgresql")
        secret = self.folder.parent / "superuser"
        secret.touch(mode=0o600)
        secret.write_text(self.password, encoding="ascii")
        if self._account:
            os.chown(secret, self._account["user"], self._account["group"])
        data = self.folder / "data"
        try:
            self._run("initdb", "-D", data, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync",
                      "-E", "UTF8", "--locale=C")  # fmt: skip
        finally:
            secret.unlink()
        with (data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(f"{SETTINGS}port = {self.port}\n")

    def _run(self, program: str, *arguments: str | Path) -> None:
        """One of the server's own programs. Raises Unavailable with what it said."""
        result = subprocess.run(
            [self.binaries.folder / program, *arguments],
            capture_output=True, text=True, check=False, cwd=self.folder, env=plain_environment(), **self._account,
        )  # fmt: skip
        if result.returncode:
            raise Unavailable("demo.postgres_failed", f"{program}: {(result.stderr or result.stdout).strip()[-500:]}")

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        if accepts(self.port):
            raise Unavailable("demo.postgres_failed", f"port {self.port} is taken; --port-base chooses others")
        log_file = self.folder.parent / "postgresql.log"
        with log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries.folder / "postgres", "-D", self.folder / "data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, env=plain_environment(),
                start_new_session=True,  # Ctrl-C is ours: the gateway closes before the server does
                **self._account,
            )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = log_file.read_text(encoding="utf-8", errors="replace").strip()[-1000:]
                raise Unavailable("demo.postgres_failed", f"the database did not start; {log_file} ends with\n{said}")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        """True when the server says so itself: it listens earlier than it lets anybody in."""
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except OSError:
            return False
        return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def stop(self) -> None:
        """Stop the server, at once and in order (SIGINT is PostgreSQL's fast shutdown)."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=STOP_SECONDS)
        finally:  # also after a second Ctrl-C
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()


def unprivileged_account() -> _Account:
    """Whom the server runs as: under root another user, else whoever runs the demo."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise Unavailable("demo.postgres_failed", "PostgreSQL refuses root, and there is no user `postgres` or `nobody`")


def plain_environment() -> dict[str, str]:
    """The environment without PostgreSQL's own variables, and without a locale that may not exist."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LANG": "C"}


def reachable_by_others(folder: Path) -> bool:
    """True when a user without rights may enter the folder: each one above it is open to all."""
    return all(path.stat().st_mode & 0o001 for path in [folder, *folder.parents])


def open_path(folder: Path) -> None:
    """Let others pass through a folder of ours, without listing it."""
    folder.chmod(folder.stat().st_mode | 0o011)


def copied(binaries: Binaries, target: Path) -> Binaries:
    """The whole installation, copied to where the server's user can read it.

    The wheel's programs look for their libraries beside the package, so these are copied beside it too.
    """
    installed = binaries.folder.parent
    home = target / "package" / installed.name
    shutil.copytree(installed, home, symlinks=True)
    if binaries.bundled:
        for libraries in installed.parent.parent.glob(f"{installed.parent.name}.libs"):
            shutil.copytree(libraries, target / libraries.name)
    for folder in (target, target / "package", home):
        folder.chmod(0o755)
    return Binaries(folder=home / "bin", version=binaries.version, bundled=binaries.bundled)


def accepts(port: int) -> bool:
    """True when something on this machine takes connections on the port."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
