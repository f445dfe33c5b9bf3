"""VERIFY.md is true: whoever types its commands gets what it says, with openssl, sha256sum, Go and opa alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.audit.exporting.world import Days, two_days
from tests.cli.demo.pages import Command, File, Program, seen, steps

ROOT = Path(__file__).parents[2]
PACKAGE = "evidence.zip"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an auditor has: the package, its page and program, the key by another way."""
    folder = tmp_path_factory.mktemp("auditor")
    days: Days = two_days(folder / "var", rounds=2)
    asked = ["audit", "export", "--from", "2020-01-01", "--data", str(days.folder), "-o", str(folder / PACKAGE)]
    assert cli.main([*asked, "--per-stratum", "2"]) == cli.DONE
    (folder / "log.pub").write_bytes((days.folder / "keys/log-1.pub").read_bytes())
    (folder / "prove").mkdir()
    unpack = ["unzip", "-q", str(folder / PACKAGE), "VERIFY.md", "verify.py", "-d", str(folder)]
    subprocess.run(unpack, check=True)
    return folder


def test_every_command_of_the_page_gives_what_it_says(place: Path) -> None:
    path = f"{Path(sys.executable).parent}:{ROOT / 'tools/bin'}:{os.environ['PATH']}"
    here, typed = place, 0
    for step in steps(place / "VERIFY.md"):
        if isinstance(step, Program | File):
            (place / "prove/main.go").write_text(step.text, encoding="utf-8")
            continue
        assert isinstance(step, Command)
        line = f"{step.text}\nstatus=$?; pwd > {place}/here; exit $status"
        done = subprocess.run(
            ["/bin/bash", "-c", line], cwd=here, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == step.code, f"$ {step.text}\n{done.stdout}"
        assert [said for said in step.output if not seen(said, done.stdout)] == [], done.stdout
        here, typed = Path((place / "here").read_text(encoding="utf-8").strip()), typed + 1
    assert typed > 15


def test_the_go_program_refuses_a_changed_leaf(place: Path) -> None:
    proof = next((place / "evidence/decisions/samples").glob("*/proof.tlog-proof"))
    lines = proof.read_bytes().split(b"\n")
    lines[2] = b"index 0" if lines[2] != b"index 0" else b"index 1"
    (place / "changed").write_bytes(b"\n".join(lines))
    done = subprocess.run(
        ["go", "run", ".", "../log.pub", "../changed"], cwd=place / "prove", capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_openssl_refuses_another_manifest(place: Path) -> None:
    (place / "forged.pae").write_bytes((place / "manifest.pae").read_bytes().replace(b"deny", b"Deny") + b" ")
    done = subprocess.run(
        ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "evidence/log/1/key.pem", "-rawin", "-in", "forged.pae",
         "-sigfile", "manifest.sig"], cwd=place, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
