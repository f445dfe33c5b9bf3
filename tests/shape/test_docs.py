"""The documentation is true: commands are run by CI, generated pages are fresh, links lead somewhere."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.shape.tree import ROOT
from tools import docs

PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "node_modules" not in path.parts
)
INTERACTIVE = {".venv/bin/querywarden demo": "make demo"}
"""Commands that wait for a person, and the command of CI that does the same without one."""


def console_commands(page: Path) -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_every_command_of_the_readme_is_run_by_ci() -> None:
    run_by_ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = console_commands(Path("README.md"))
    assert commands
    assert [line for line in commands if INTERACTIVE.get(line, line) not in run_by_ci] == []


def test_generated_reference_pages_are_up_to_date() -> None:
    assert docs.stale_pages() == []


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert [link for link in links if not (ROOT / page.parent / link).exists()] == []


def test_plain_pip_gets_the_versions_of_the_lock() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {package["name"]: package["version"] for package in lock["package"] if package["name"] != "querywarden"}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.partition(" ;")[0].split("==") for line in lines)
    assert pinned == locked


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs/adr").glob("*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
