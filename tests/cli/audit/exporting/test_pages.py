"""Pages and tables of a period."""

import csv
import io
from dataclasses import replace

from gateway.cli.audit.exporting import pages
from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.matrix import STATES, Fact, Matrix
from gateway.cli.audit.exporting.reports import matrix_for, spoken
from gateway.policy.requirements import read_catalogue, shipped_catalogue

NOTHING = Matrix(period="p", bundle="", decisions=0, rows=())


def test_the_matrix_has_each_requirement_with_its_word(material: Material) -> None:
    matrix = matrix_for(material, read_catalogue(shipped_catalogue()))
    page = pages.matrix_page(matrix).decode()
    assert all(row.control in page for row in matrix.rows)
    rows = list(csv.reader(io.StringIO(pages.matrix_csv(matrix).decode())))
    assert len(rows) == 1 + len(matrix.rows)
    assert {row[2] for row in rows[1:]} <= set(STATES)
    assert "against it: 0 of 2 days reviewed" in page


def test_the_review_has_rights_clearances_and_idle_agents(material: Material) -> None:
    assert material.review is not None
    page = pages.review_page(material.review).decode()
    for part in (
        "public.*",
        "pan: last4",
        "pan-readers",
        "with a reason",
        "reader-1 4",
        "Idle agents",
        "nobody-1",
        "unused",
    ):
        assert part in page
    assert pages.review_csv(material.review).startswith(b"group,connection")
    assert b"None in this period" in pages.review_page(pages.NO_REVIEW)


def test_days_say_what_stands_out_and_that_nobody_looked(material: Material) -> None:
    page = pages.daily_page(material).decode()
    for part in ("2026-11-24", "2026-11-25", "card_data.cleared", "not yet"):
        assert part in page


def test_results_of_other_commands_stand_on_the_overview(material: Material, drawn: Drawn) -> None:
    facts = {"scan": Fact("found <b>", "scan/x", holds=False), "retention": Fact("kept", "report/r.json")}
    page = pages.index_page(replace(material, extras=facts), NOTHING, drawn.sample, "p").decode()
    assert "found &lt;b&gt;" in page
    assert 'href="../scan/x"' in page
    assert 'href="r.json"' in page
    assert "speaks against it" in page


def test_the_overview_says_how_to_check(material: Material, drawn: Drawn) -> None:
    matrix = matrix_for(material, read_catalogue(shipped_catalogue()))
    page = pages.index_page(material, matrix, drawn.sample, spoken(material.taken.period)).decode()
    for part in ("verify.py --key log.pub", "ENOSPC", drawn.sample.seed, "asked, 0 otherwise", "signs policy bundles"):
        assert part in page
