"""How pages of a package look: no script, nothing fetched, light and dark, and on paper."""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final

from gateway.cli.audit.words import printable

STYLE: Final = """
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e6e8ea); --dim: light-dark(#5d6670, #9aa4ae);
  --page: light-dark(#fbfaf8, #14171a); --card: light-dark(#fff, #1b1f23); --line: light-dark(#e4e1db, #2c3238);
  --good: light-dark(#2f6f3e, #7fcf92); --part: light-dark(#7a5b00, #e2c35a); --plain: light-dark(#5d6670, #9aa4ae);
  --link: light-dark(#0b5c6b, #6cc5d4); --bad: light-dark(#a3262a, #ff9a94) }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page) }
header, main, footer { max-width: 78rem; margin: 0 auto; padding: 1.5rem }
header { padding-bottom: 0 } main { padding-top: .5rem }
h1 { font-size: 1.5rem; margin: 0; letter-spacing: -.01em } h2 { font-size: 1.05rem; margin: 2.25rem 0 .5rem }
p { margin: .35rem 0 0; max-width: 62rem } a { color: var(--link) }
.dim, footer { color: var(--dim); font-size: .86rem }
nav { margin-top: .75rem; font-size: .9rem } nav a { margin-right: 1.25rem }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .75rem; padding: 0;
  margin: 1.25rem 0 0; list-style: none }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem 1rem }
.tiles b { display: block; font-size: 1.55rem; font-weight: 600; font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card) }
table { width: 100%; border-collapse: collapse; font-size: .92rem }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: .8rem; white-space: nowrap }
td, th { padding: .5rem .8rem; border-bottom: 1px solid var(--line); vertical-align: top }
tr:last-child td { border-bottom: 0 } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
code { font: .8rem ui-monospace, Menlo, Consolas, monospace; white-space: nowrap }
code.long { overflow-wrap: anywhere; white-space: normal } td { min-width: 4.5rem }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto;
  font: .82rem/1.5 ui-monospace, Menlo, Consolas, monospace }
.chip { display: inline-block; padding: 0 .6em; border-radius: 99px; border: 1px solid currentColor; font-size: .78rem;
  font-weight: 600; white-space: nowrap }
.good { color: var(--good) } .part { color: var(--part) } .plain { color: var(--plain) } .bad { color: var(--bad) }
ul.shown { list-style: none; margin: 0; padding: 0 } ul.shown li + li { margin-top: .3rem }
details { margin-top: .35rem } summary { cursor: pointer; color: var(--dim); font-size: .85rem }
details ul { margin: .25rem 0 0; padding-left: 1.1rem; font-size: .85rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: .75rem 0 0 }
dt { color: var(--dim) } dd { margin: 0; overflow-wrap: anywhere }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
@media print { :root { color-scheme: light } body { background: none; font-size: 10.5px } nav { display: none }
  .scroll { overflow: visible; border-radius: 0 } tr, .tiles li { break-inside: avoid } h2 { break-after: avoid }
  header, main, footer { padding: .5rem 0; max-width: none } }
@media (max-width: 46rem) { .scroll table { min-width: 56rem }
  td, th { padding: .4rem .55rem } dl { grid-template-columns: 1fr }
  dd { margin-bottom: .4rem } }
"""
LONG: Final = 32
"""characters of a code that fits into a column"""
Cell = str
"""HTML"""
PAGES: Final = {
    "index.html": "Overview",
    "pci_matrix.html": "Requirements",
    "access_review.html": "Access review",
    "daily.html": "Days",
}


def text(said: object) -> str:
    """Anything from outside, harmless in HTML and to the eye."""
    return escape(printable(str(said)))


def code(said: object) -> str:
    """The same in fixed width; what is long may break anywhere."""
    long = " class=long" if len(str(said)) > LONG else ""
    return f"<code{long}>{text(said)}</code>"


def chip(word: str, kind: str, mark: str) -> str:
    """A word with a mark and a colour."""
    return f'<span class="chip {kind}">{mark} {text(word)}</span>'


def table(heads: Iterable[str], rows: Iterable[Iterable[Cell]], numbers: Iterable[int] = ()) -> str:
    """Cells are HTML already; `numbers` are columns that align right."""
    right = set(numbers)

    def cells(tag: str, row: Iterable[Cell]) -> str:
        return "".join(f"<{tag}{' class=n' if at in right else ''}>{cell}" for at, cell in enumerate(row))

    body = "".join(f"<tr>{cells('td', row)}</tr>\n" for row in rows)
    if not body:
        return '<p class="dim">None in this period.</p>\n'
    return f'<div class="scroll"><table><thead><tr>{cells("th", heads)}</thead><tbody>\n{body}</tbody></table></div>\n'


def tiles(pairs: Iterable[tuple[object, str]]) -> str:
    """Large numbers, each with what it counts."""
    return '<ul class="tiles">' + "".join(f"<li><b>{number}</b>{text(what)}" for number, what in pairs) + "</ul>\n"


def page(name: str, title: str, about: str, body: str) -> bytes:
    """One file that stands alone. `about` and `body` are HTML."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    links = "".join(f'<a href="{file}">{word}</a>' for file, word in PAGES.items() if file != name)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'\">"
        f'<meta name="viewport" content="width=device-width"><title>{text(title)}</title>'
        f"<style>{STYLE}</style></head>\n"
        f'<body><header><h1>{text(title)}</h1><p class="dim">{about}</p><nav>{links}</nav></header>\n'
        f"<main>{body}</main>\n"
        "<footer>What is shown here is evidence, and no statement of compliance. Numbers come from the log in this "
        "package; VERIFY.md says how to check them.</footer></body></html>\n"
    ).encode()
