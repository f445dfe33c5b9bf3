"""The matrix on paper: nothing in it obeys a browser, a spreadsheet or a terminal."""

import csv
import io
import json
from html.parser import HTMLParser

import msgspec

from gateway.cli.policy.matrix_pages import CSV_COLUMNS, PAGES
from gateway.cli.policy.shown import CUSTOMER, EXERCISED, Matrix, MatrixRow
from tests.cli.policy.test_shown import RULE

HOSTILE = msgspec.structs.replace(RULE, title="<script>alert(1)</script> | \x1b[2J", code="=cmd")
MATRIX = Matrix(
    revision="r<1>",
    period="from here to there",
    decisions=12345,
    rows=(
        MatrixRow(
            control="PCI-DSS-4.0.1/7.2.2", title="Rights", state=EXERCISED, rules=(RULE, HOSTILE),
            vectors=("a <b> vector",), shown="evidenced", owes="Assign people",
        ),
        MatrixRow(
            control="PCI-DSS-4.0.1/9.1", title="Doors", state=CUSTOMER, rules=(), vectors=(), shown="customer",
            owes="Doors",
        ),
    ),
    findings=("blocked.rego:48: x: no such requirement",),
)  # fmt: skip


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


def test_html_stands_alone_and_shows_hostile_texts_as_texts() -> None:
    page, tags = PAGES["html"](MATRIX), Tags()
    tags.feed(page)
    assert "script" not in tags.seen
    assert tags.links == []
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page
    assert "12,345 decisions" in page


def test_every_state_has_a_mark_and_a_word_not_only_a_colour() -> None:
    page = PAGES["html"](MATRIX)
    assert "● enforced+tested+exercised" in page
    assert "→ customer" in page


def test_csv_has_a_line_for_each_rule_and_no_formula() -> None:
    lines = list(csv.reader(io.StringIO(PAGES["csv"](MATRIX), newline="")))
    assert tuple(lines[0]) == CSV_COLUMNS
    assert [line[4] for line in lines[1:]] == ["access.blocked", "'=cmd", "the customer"]
    assert {len(line) for line in lines} == {len(CSV_COLUMNS)}


def test_markdown_keeps_its_columns() -> None:
    rows = [line for line in PAGES["md"](MATRIX).splitlines() if line.startswith("| PCI")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [7, 7]


def test_json_says_everything() -> None:
    found = json.loads(PAGES["json"](MATRIX))
    assert found["rows"][0]["rules"][0]["place"] == "blocked.rego:48"
    assert found["findings"] == list(MATRIX.findings)
