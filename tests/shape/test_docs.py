"""The documentation is true: commands are run by CI, generated pages are fresh, links lead somewhere."""

import configparser
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from gateway.config.load import examine
from tests.cli.demo.pages import NOT_RUN, blocks
from tests.shape.tree import ROOT
from tools import docs

PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if "node_modules" not in path.parts
)
INTERACTIVE = {".venv/bin/querywarden demo": "make demo"}
"""Commands that wait for a person, and the command of CI that does the same without one."""
WRITTEN = [page for page in PAGES if page.parts[:2] != ("docs", "reference")]
"""by people; tests/cli/demo/test_documented.py types their commands"""
TYPED = re.compile(r"(\$ )?((\.venv/bin/|tools/bin/)?(querywarden|opa)|docker|psql|make|sh|pip|PGPASSWORD=\S+) ")
MINIMAL: dict[str, object] = {
    "version": 1,
    "listeners": {"postgres": {"address": "127.0.0.1:6432", "insecure_loopback": True}},
    "identity": {"issuers": [{"issuer": "https://idp.example", "audience": ["querywarden"]}]},
    "policy": {"bundle": "bundle.tar.gz", "verification_keys": ["policy.key.pub"]},
    "connections": {"payments": {"type": "postgres", "host": "db", "database": "payments", "user": "app"}},
}


def console_commands(page: Path) -> list[str]:
    found = [block for block in blocks(text_of(page)) if block.language == "console"]
    return [line.removeprefix("$ ") for block in found for line in block.lines if line.startswith("$ ")]


def text_of(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def configurations() -> list[tuple[str, dict[str, object]]]:
    """Every piece of gateway.yaml in the documentation, as a whole configuration."""
    found = []
    for page in WRITTEN:
        for block in blocks(text_of(page)):
            document = yaml.safe_load("\n".join(block.lines)) if block.language == "yaml" else None
            if isinstance(document, dict) and set(document) <= {*MINIMAL, "data_dir", "evidence"}:
                found.append((str(page), {**MINIMAL, **document}))
    return found


def test_every_command_of_the_readme_is_run_by_ci() -> None:
    run_by_ci = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = console_commands(Path("README.md"))
    assert commands
    assert [line for line in commands if INTERACTIVE.get(line, line) not in run_by_ci] == []


@pytest.mark.parametrize("page", WRITTEN, ids=str)
def test_commands_stand_in_console_blocks_where_they_are_typed_by_a_test(page: Path) -> None:
    lines = text_of(page).splitlines()
    assert [line for line in lines if line.startswith(("    ", "\t")) and TYPED.match(line.strip())] == []
    loose = [
        line
        for block in blocks(text_of(page))
        if block.language in {"", "sh", "bash", "shell", "text"}
        for line in block.lines
        if TYPED.match(line)
    ]
    assert loose == []


def test_a_block_that_is_not_run_says_why_in_sight_of_the_reader() -> None:
    marks = [line for page in WRITTEN for line in text_of(page).splitlines() if "not run by ci" in line.lower()]
    assert marks
    assert [line for line in marks if not NOT_RUN.match(line)] == []


@pytest.mark.parametrize(("page", "document"), configurations())
def test_a_configuration_in_the_documentation_is_one_the_gateway_takes(
    page: str, document: dict[str, object], tmp_path: Path
) -> None:
    assert page
    path = tmp_path / "gateway.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    findings = examine(path).findings
    assert [text for text in findings if not text.endswith("No such file or directory")] == []


def test_the_unit_starts_what_the_page_configures() -> None:
    page = text_of(Path("docs/how-to/deploy-on-a-host.md"))
    (text,) = ["\n".join(block.lines) for block in blocks(page) if block.language == "ini"]
    unit = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names of systemd have capitals
    unit.read_string(text)
    service = unit["Service"]
    program, *arguments = service["ExecStart"].split()
    assert f"{Path(program).parent}/pip install" in page
    assert arguments[:2] == ["serve", "-c"]
    assert f"In `{arguments[2]}`:" in page
    credential = service["LoadCredential"].partition(":")[0]
    assert f"/run/credentials/querywarden.service/{credential}}}" in page
    assert f"data_dir: /var/lib/{service['StateDirectory']}" in page
    assert "MemoryDenyWriteExecute" not in service


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
