"""The matrix as HTML that stands alone, CSV, Markdown and JSON."""

import base64
import csv
import hashlib
import io
from collections.abc import Callable, Iterator
from html import escape
from typing import Final

from gateway.cli.audit.words import as_json, printable
from gateway.cli.policy.shown import CUSTOMER, EXERCISED, MAPPED, STATES, TESTED, Matrix, MatrixRow, RuleRow

_MARKS: Final = {EXERCISED: "●", TESTED: "◐", MAPPED: "○", CUSTOMER: "→"}
_CLASSES: Final = {EXERCISED: "exercised", TESTED: "tested", MAPPED: "mapped", CUSTOMER: "customer"}
CSV_COLUMNS: Final = (
    "requirement", "title", "state", "shown", "rule", "effect", "severity", "place", "tests", "vectors", "decisions",
    "customer owes",
)  # fmt: skip
STYLE: Final = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8ea); --dim: light-dark(#5d6670, #9aa4ae);
  --page: light-dark(#fbfaf8, #14171a); --card: light-dark(#fff, #1b1f23); --line: light-dark(#e4e1db, #2c3238);
  --exercised: light-dark(#2f6f3e, #7fcf92); --tested: light-dark(#0b5c6b, #6cc5d4);
  --mapped: light-dark(#7a5b00, #e2c35a); --customer: light-dark(#5d6670, #9aa4ae) }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page) }
header, main { max-width: 84rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.35rem; margin: 0 } p { margin: .25rem 0 0 }
.dim { color: var(--dim); font-size: .85rem }
.tiles { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1.5rem; padding: 0; list-style: none }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem;
  min-width: 10rem }
.tiles b { display: block; font-size: 1.5rem; font-variant-numeric: tabular-nums }
.wrong { border-left: 3px solid var(--mapped); padding-left: 1rem; margin-top: 1.5rem }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line) }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: .8rem; position: sticky; top: 0;
  background: var(--card) }
td, th { padding: .6rem .75rem; border-bottom: 1px solid var(--line); vertical-align: top }
td:first-child { width: 20rem } td:last-child { width: 16rem }
code { font: .8rem ui-monospace, Menlo, Consolas, monospace; overflow-wrap: anywhere }
.chip { display: inline-block; padding: 0 .55em; border-radius: 99px; border: 1px solid currentColor; font-size: .78rem;
  font-weight: 600; white-space: nowrap }
.exercised { color: var(--exercised) } .tested { color: var(--tested) } .mapped { color: var(--mapped) }
.customer { color: var(--customer) }
ul.rules { list-style: none; margin: 0; padding: 0 } ul.rules li + li { margin-top: .6rem }
details { margin-top: .35rem } summary { cursor: pointer; color: var(--dim); font-size: .85rem }
details ul { margin: .25rem 0 0; padding-left: 1.1rem; font-size: .85rem }
:focus-visible { outline: 3px solid var(--tested); outline-offset: 2px }
@media print { body { background: none; font-size: 11px } th { position: static } details { display: none }
  tr { break-inside: avoid } }
@media (max-width: 52rem) { table, tbody, tr, td { display: block; width: auto } thead { display: none }
  td:first-child, td:last-child { width: auto } td { border: 0; padding: .35rem .75rem }
  tr { border-bottom: 1px solid var(--line) } }
"""


def html(found: Matrix) -> str:
    """One file: no script, nothing fetched, light and dark, for paper too."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    tiles = "".join(
        f'<li><b>{sum(row.state == state for row in found.rows)}</b><span class="{_CLASSES[state]}">'
        f"{_MARKS[state]} {state}</span></li>"
        for state in STATES
    )
    wrong = "".join(f"<li><code>{_text(finding)}</code></li>" for finding in found.findings)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        '<meta name="viewport" content="width=device-width"><title>Requirements and rules</title>'
        f"<style>{STYLE}</style></head>\n<body><header><h1>Requirements and rules</h1>"
        f'<p class="dim">Bundle {_text(found.revision)} · {found.decisions:,} decisions, {_text(found.period)} · '
        "what is shown here is no statement of compliance</p>"
        f'<ul class="tiles">{tiles}</ul>'
        + (f'<section class="wrong"><h2>Findings</h2><ul>{wrong}</ul></section>' if wrong else "")
        + "</header>\n<main><table><thead><tr><th>Requirement<th>State<th>Rules, tests, decisions<th>The customer owes"
        "</thead><tbody>\n" + "".join(map(_html_row, found.rows)) + "</tbody></table></main></body></html>\n"
    )


def _html_row(row: MatrixRow) -> str:
    rules = "".join(map(_html_rule, row.rules))
    vectors = "".join(f"<li>{_text(name)}" for name in row.vectors)
    listed = f'<ul class="rules">{rules}</ul>' if rules else f'<span class="dim">{_text(row.by)}</span>'
    shown = f"<details><summary>in vectors: {len(row.vectors)}</summary><ul>{vectors}</ul></details>" if vectors else ""
    return (
        f'<tr id="{_text(row.control)}"><td><code>{_text(row.control)}</code><br>{_text(row.title)}'
        f'<td><span class="chip {_CLASSES[row.state]}">{_MARKS[row.state]} {row.state}</span>'
        f'<td>{listed}{shown}<td class="dim">{_text(row.owes)}</tr>\n'
    )


def _html_rule(rule: RuleRow) -> str:
    tests = "".join(f"<li><code>{_text(place)}</code>" for place in rule.tests)
    more = f"<details><summary>in tests: {len(rule.tests)}</summary><ul>{tests}</ul></details>" if tests else ""
    return (
        f"<li><code>{_text(rule.code)}</code> {_text(rule.title)}<br>"
        f'<span class="dim"><code>{_text(rule.place)}</code> · {_text(rule.effect)} · {_text(rule.severity)} · '
        f"{rule.vectors} vectors · {rule.decisions:,} decisions</span>{more}</li>"
    )


def _text(text: str) -> str:
    return escape(printable(text))


def comma_separated(found: Matrix) -> str:
    """One line a requirement and rule. Texts that a spreadsheet would take for a formula are quoted for it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")  # RFC 4180
    writer.writerow(CSV_COLUMNS)
    for row in found.rows:
        for line in _csv_rules(row):
            writer.writerow([_cell(text) for text in line])
    return out.getvalue()


def _csv_rules(row: MatrixRow) -> Iterator[tuple[str, ...]]:
    head, end = (row.control, row.title, row.state, row.shown), (row.owes,)
    for rule in row.rules:
        tests = " ".join(rule.tests)
        counted = (tests, str(rule.vectors), str(rule.decisions))
        yield (*head, rule.code, rule.effect, rule.severity, rule.place, *counted, *end)
    if not row.rules:
        yield (*head, row.by, "", "", "", "", str(len(row.vectors)), "", *end)


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def markdown(found: Matrix) -> str:
    """A table, with a line of totals."""
    counts = ", ".join(f"{sum(row.state == state for row in found.rows)} {state}" for state in STATES)
    lines = [
        "# Requirements and rules",
        "",
        f"Bundle {found.revision}; {found.decisions:,} decisions, {found.period}. {counts}.",
        "",
        "| requirement | state | rules | tests | decisions | the customer owes |",
        "|---|---|---|---|---|---|",
        *map(_md_row, found.rows),
    ]
    if found.findings:
        lines += ["", "## Findings", "", *(f"- {finding}" for finding in found.findings)]
    return "\n".join(lines) + "\n"


def _md_row(row: MatrixRow) -> str:
    rules = "<br>".join(f"`{rule.code}` {rule.place}" for rule in row.rules) or row.by
    tests = f"{sum(len(rule.tests) for rule in row.rules)} places, {len(row.vectors)} vectors"
    decisions = f"{sum(rule.decisions for rule in row.rules):,}" if row.rules else ""
    cells = (f"{row.control} {row.title}", row.state, rules, tests if row.rules else "", decisions, row.owes)
    return "| " + " | ".join(printable(cell).replace("|", "\\|") for cell in cells) + " |"


PAGES: Final[dict[str, Callable[[Matrix], str]]] = {
    "html": html,
    "csv": comma_separated,
    "md": markdown,
    "json": as_json,
}
