"""Write the pages of docs/reference that say again what the program already says: `python -m tools.docs [--check]`.

`--check` writes nothing and exits 1 when a page is stale, naming it.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path

import msgspec

from gateway.cli import app
from gateway.cli.audit.account import Account
from gateway.cli.audit.redeciding import Report
from gateway.cli.audit.search import Facet
from gateway.cli.policy.differences import Differences
from gateway.config import reference
from gateway.config.schema import schema_text
from gateway.core.codes import CODES
from gateway.evidence.search import Hit
from tools import rule_pages

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
RULES = "rules"
GENERATED = "<!-- Written by `make docs`; do not edit. -->"

ABOUT_CODES = """\
Every refusal, hazard and failure has a code. It stands in the error an agent gets, in the record, and here.
Codes that rules give (`access.*`, `pci.*`) come from the bundle's METADATA."""


def errors() -> str:
    """Every code of the registry, by the part of the program that gives it."""
    parts = [
        "# Errors",
        GENERATED,
        ABOUT_CODES,
    ]
    for room, group in groupby(sorted(CODES), key=lambda code: code.partition(".")[0]):
        rows = [
            f"| `{code}` | {entry.message} | {entry.remedy} | {entry.sqlstate} | {entry.mysql} | {entry.http} |"
            for code, entry in ((code, CODES[code]) for code in group)
        ]
        head = "| code | what happened | what to do | SQLSTATE | MySQL | HTTP |\n|---|---|---|---|---|---|\n"
        parts.append(f"## {room}\n\n{head}" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def commands() -> str:
    """Every command with its options."""
    page = app.generate_docs(output_format="markdown", usage_name="querywarden").strip()
    return f"{GENERATED}\n\n{page}\n".replace(" -m tools.docs", "")  # one usage line says how this program was called


ABOUT_RULES = """\
Every code that a rule gives, as the bundle's METADATA describes it. A refusal carries the code, the rule's file and
line, the requirements and the remedy. A rule's own page has an example of site data, its tests and its vectors. The
gateway's own codes: [errors](errors.md)."""


def rules() -> str:
    """Every rule of the released bundle, by the package it stands in."""
    parts = ["# Rules", GENERATED, ABOUT_RULES]
    for rule in rule_pages.released().values():
        facts = f"{rule.effect} · {rule.severity} · {', '.join(rule.controls)} · `{rule.file}:{rule.line}`"
        parts.append(f"## [`{rule.code}`](rules/{rule.code}.md)\n\n{rule.title}.\n\n{facts}")
        parts.append(f"Says: “{rule.message}”. What to do: {rule.remedy}")
    return "\n\n".join(parts) + "\n"


def audit_schema() -> str:
    """JSON Schema of what the auditor's commands print with --json: one definition for each kind of document."""
    printed = (Hit, Facet, Account, Report, Differences)
    schemas, parts = msgspec.json.schema_components(
        printed, ref_template="#/$defs/{name}", schema_hook=lambda _: {"description": "any JSON"}
    )
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "What `querywarden audit search · explain · replay-decisions --json` print",
        "anyOf": list(schemas),
        "$defs": parts,
    }
    return json.dumps(whole, indent=2, sort_keys=True) + "\n"


def pages() -> dict[str, Callable[[], str]]:
    """What is generated, by its path in the folder."""
    return {
        "errors.md": errors,
        "commands.md": commands,
        "rules.md": rules,
        **{f"{RULES}/{code}.md": partial(rule_pages.page, code, GENERATED) for code in rule_pages.released()},
        "configuration.md": lambda: reference.page(GENERATED),
        "gateway.schema.json": schema_text,
        "audit.schema.json": audit_schema,
    }


def stale_pages() -> list[str]:
    """Names of generated pages that are not what the program says now, or that nothing generates any more."""
    wanted = pages()
    left = sorted(f"{RULES}/{path.name}" for path in (REFERENCE / RULES).glob("*.md"))
    return [name for name, page in wanted.items() if written(name) != page()] + [n for n in left if n not in wanted]


def written(name: str) -> str:
    """What a page says now; empty when there is none."""
    path = REFERENCE / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(arguments: list[str]) -> int:
    """Write, or check."""
    stale, wanted = stale_pages(), pages()
    (REFERENCE / RULES).mkdir(exist_ok=True)
    for name in stale:
        print(
            f"docs/reference/{name}: {'stale' if '--check' in arguments else 'written' if name in wanted else 'gone'}"
        )
        if "--check" in arguments:
            continue
        if name in wanted:
            (REFERENCE / name).write_text(wanted[name](), encoding="utf-8")
        else:
            (REFERENCE / name).unlink()
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
