"""Make a checkout ready to run: the virtual environment, and what the tests need of the machine.

    python3 tools/setup.py demo     packages to run the program and its demo
    python3 tools/setup.py python   the same, and everything for development
    python3 tools/setup.py test     the same, and the servers, compilers and clients of the tests
    python3 tools/setup.py bench    the same, and pgbouncer

Standard library only, because it runs before anything is installed. Runs again at no cost: a stamp in `.venv` holds the
hash of what was installed. Exit codes: 0 ready, 3 something is missing that could not be installed (it says what).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NOT_READY = 3
INPUTS = ("pyproject.toml", "uv.lock", "requirements.txt")
SYNC = {"demo": ["--no-dev", "--extra", "demo"], "python": ["--all-extras"]}

# What a test needs of the machine: a program that shows it is there, Debian's packages that bring it.
PROGRAMS = {
    "test": {
        "initdb": ["postgresql", "postgresql-contrib"],
        "psql": ["postgresql-client"],
        "openssl": ["openssl"],
        "node": ["nodejs"],
        "npm": ["npm"],
        "javac": ["default-jdk-headless"],
        "mvn": ["maven"],
        "tshark": ["tshark"],
        "rsyslogd": ["rsyslog", "rsyslog-openssl", "rsyslog-gnutls"],
    },
    "bench": {"pgbench": ["postgresql", "postgresql-contrib"], "pgbouncer": ["pgbouncer"]},
}


class NotReady(Exception):
    """Something is missing and could not be installed. The text says what, and what to do."""


def say(text: str) -> None:
    """One line of progress."""
    print(f"setup: {text}", flush=True)


def run(*command: str | Path, **variables: str) -> bool:
    """Run a command in the checkout, its output shown only when it fails. True when it succeeded."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_PROJECT_ENVIRONMENT": str(VENV), **variables}
    environment.pop("VIRTUAL_ENV", None)
    try:
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return False
    if result.returncode:
        say(f"{' '.join(map(str, command))} ended with {result.returncode}")
        print((result.stdout + result.stderr)[-2000:], file=sys.stderr)
    return result.returncode == 0


def fingerprint(level: str) -> str:
    """What the environment of a level is made from."""
    digest = hashlib.sha256(f"{level} {sys.version_info[:2]}".encode())
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp(level: str) -> Path:
    """The file that says which fingerprint was installed last."""
    return VENV / f"querywarden-{level}.stamp"


def is_fresh(level: str) -> bool:
    """True when nothing changed since the last installation of this level, or of one that holds it."""
    levels = [level] if level == "python" else [level, "python"]
    ready = (VENV / "bin" / "querywarden").exists() and run(PYTHON, "-c", "import gateway")
    return ready and any(stamp(one).exists() and stamp(one).read_text() == fingerprint(one) for one in levels)


def create_environment() -> None:
    """A virtual environment of this Python, with pip when there is no uv on the machine."""
    if PYTHON.exists() and run(PYTHON, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"):
        return
    uv = shutil.which("uv")
    if uv and run(uv, "venv", "--clear", "--python", sys.executable, VENV):
        return
    if run(sys.executable, "-m", "venv", "--clear", VENV):
        return
    if install_debian_packages(["python3-venv"]) and run(sys.executable, "-m", "venv", "--clear", VENV):
        return
    raise NotReady(f"{sys.executable} cannot make a virtual environment; install python3-venv, or uv, and try again")


def find_uv() -> str | None:
    """The uv of the machine, else of the environment, else a fresh one by pip."""
    inside = VENV / "bin" / "uv"
    uv = shutil.which("uv") or (str(inside) if inside.exists() else None)
    if uv is None and run(PYTHON, "-m", "pip", "install", "--quiet", "uv"):
        uv = str(inside)
    return uv


def install_python_packages(level: str) -> None:
    """The locked packages by uv; where uv cannot be had or cannot reach its index, the same versions by pip."""
    uv = find_uv()
    if uv and run(uv, "sync", "--locked", "--inexact", *SYNC[level]):
        return
    say("uv could not do it; trying plain pip with the versions of requirements.txt")
    pip = (PYTHON, "-m", "pip", "install", "--quiet")
    if not run(PYTHON, "-m", "pip", "--version"):
        run(PYTHON, "-m", "ensurepip")
    everything = () if level == "demo" else ("-r", "requirements.txt")
    if not run(*pip, "-c", "requirements.txt", *everything, "-e", ".[demo]"):
        raise NotReady("the Python packages could not be installed: is a package index reachable?")


def prepare_python(level: str) -> None:
    """The environment, unless it is fresh."""
    if is_fresh(level):
        say(f".venv is up to date ({level})")
        return
    begin = time.monotonic()
    say(f"making .venv with Python {sys.version.split()[0]} ({level})")
    create_environment()
    install_python_packages(level)
    stamp(level).write_text(fingerprint(level))
    say(f".venv is ready after {time.monotonic() - begin:.0f} s")


def find_program(name: str) -> str | None:
    """On PATH, or where Debian keeps PostgreSQL's server programs."""
    places = [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True))]
    return shutil.which(name, path=os.pathsep.join(places))


def install_debian_packages(names: Sequence[str]) -> bool:
    """By apt-get, as root only. PostgreSQL's package is kept from starting a server of its own."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(names)} with apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    get = ("apt-get", "install", "-y", "-qq", "--no-install-recommends")
    if not run("apt-get", "update", "-qq", **quiet):
        return False
    if any(name.startswith("postgresql") for name in names) and run(*get, "postgresql-common", **quiet):
        settings = Path("/etc/postgresql-common/createcluster.conf")
        if "\ncreate_main_cluster = false" not in settings.read_text():
            settings.write_text(settings.read_text() + "\ncreate_main_cluster = false\n")
    return run(*get, *names, **quiet)


def prepare_machine(level: str) -> None:
    """Install what the level needs of the machine; say at once everything that is still missing."""
    wanted = PROGRAMS[level]
    missing = sorted({package for name, packages in wanted.items() if not find_program(name) for package in packages})
    if missing:
        install_debian_packages(missing)
    absent = [name for name in wanted if not find_program(name)]
    if absent:
        raise NotReady(f"missing on this machine: {', '.join(absent)} (Debian: {' '.join(missing)}); install and retry")
    say(f"programs found: {', '.join(wanted)}")


def prepare_tools() -> None:
    """Programs and test clients that this project builds itself, kept in a cache outside the tree."""
    for script in ("tools/build.sh", "tests/e2e/setup.sh", "tests/servers/setup.sh"):
        if (ROOT / script).exists():
            say(f"{script} (the first run on a machine takes a few minutes)")
            if subprocess.run(["sh", script], cwd=ROOT, check=False).returncode:
                raise NotReady(f"{script} failed; its output says why")


def main(level: str) -> int:
    """Prepare one level, and all it rests on."""
    if sys.version_info < OLDEST:
        say(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {sys.version.split()[0]}")
        return NOT_READY
    try:
        prepare_python("demo" if level == "demo" else "python")
        if level in PROGRAMS:
            prepare_machine("test")
            prepare_tools()
        if level == "bench":
            prepare_machine("bench")
    except NotReady as error:
        say(str(error))
        return NOT_READY
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "python"))
