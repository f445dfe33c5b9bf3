"""What one can do with a checkout: `make` lists it, and set-up does nothing twice."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.shape.tree import ROOT
from tools import setup

PROMISED = {"setup", "demo", "test", "check", "policy-check", "conformance", "chaos", "bench", "docs"}


def test_make_alone_lists_every_promised_target() -> None:
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[0] for line in printed.splitlines()} >= PROMISED


def test_ci_ends_with_every_test() -> None:
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make test"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a checkout whose environment is ready."""
    for name in setup.INPUTS:
        (tmp_path / name).write_text(name, encoding="utf-8")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "querywarden"):
        (programs / name).symlink_to("/bin/true")
    for name, value in (("ROOT", tmp_path), ("VENV", programs.parent), ("PYTHON", programs / "python")):
        monkeypatch.setattr(setup, name, value)
    return tmp_path


def install(level: str) -> None:
    setup.stamp(level).write_text(setup.fingerprint(level), encoding="utf-8")


def test_an_environment_without_a_stamp_is_not_fresh(checkout: Path) -> None:
    assert checkout.exists()
    assert not setup.is_fresh("python")


def test_everything_holds_what_the_demo_needs_but_not_the_other_way_round(checkout: Path) -> None:
    install("demo")
    assert (setup.is_fresh("demo"), setup.is_fresh("python")) == (True, False)
    setup.stamp("demo").unlink()
    install("python")
    assert (setup.is_fresh("demo"), setup.is_fresh("python")) == (True, True)
    assert checkout.exists()


@pytest.mark.parametrize("name", setup.INPUTS)
def test_a_changed_lock_makes_it_stale(checkout: Path, name: str) -> None:
    install("python")
    (checkout / name).write_text("changed", encoding="utf-8")
    assert not setup.is_fresh("python")


def test_an_environment_whose_command_is_gone_is_not_fresh(checkout: Path) -> None:
    install("python")
    (checkout / ".venv" / "bin" / "querywarden").unlink()
    assert not setup.is_fresh("python")


def test_a_missing_program_is_named_with_the_package_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "PROGRAMS", {"test": {"no-such-program": ["no-such-package"]}})
    monkeypatch.setattr(setup, "install_debian_packages", lambda _names: False)
    with pytest.raises(setup.NotReady, match=r"no-such-program \(Debian: no-such-package\)"):
        setup.prepare_machine("test")
