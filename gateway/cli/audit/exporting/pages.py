"""The pages of a package: overview, requirements, access review, days. What is on them stands as JSON beside them."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from gateway.cli.audit.exporting.days import DETECTIONS, Digest, sha256_of
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.matrix import CUSTOMER, EVIDENCED, NOT_APPLICABLE, PARTLY, STATES, Matrix, Row
from gateway.cli.audit.exporting.review import Review
from gateway.cli.audit.exporting.signoffs import SignOff
from gateway.cli.audit.exporting.style import chip, code, page, table, text, tiles
from gateway.evidence.package.population import Sample
from gateway.evidence.package.verifier.drawn import cell

KINDS: Final = {
    EVIDENCED: ("good", "●"),
    PARTLY: ("part", "◐"),
    CUSTOMER: ("plain", "→"),
    NOT_APPLICABLE: ("plain", "○"),
}
MATRIX_COLUMNS: Final = (
    "requirement", "title", "status", "what is shown", "where", "against", "rules", "decisions", "customer owes",
)  # fmt: skip
REVIEW_COLUMNS: Final = (
    "group", "connection", "relations", "action", "labels", "shown as", "agents", "decisions", "used by",
)  # fmt: skip


NO_REVIEW: Final = Review(bundle="", revision="", lines=(), clearances=(), unused=0, idle_agents=(), beyond={})
"""where no bundle of the period is kept"""


def status(word: str) -> str:
    """A status as a chip."""
    return chip(word, *KINDS[word])


def matrix_page(matrix: Matrix) -> bytes:
    """`report/pci_matrix.html`."""
    counts = tiles((sum(row.status == state for row in matrix.rows), f"{KINDS[state][1]} {state}") for state in STATES)
    rows = table(
        ("Requirement", "Status", "What this package shows", "The customer owes"), map(_matrix_row, matrix.rows)
    )
    about = f"{text(matrix.period)} · bundle {code(matrix.bundle[:12])} · {matrix.decisions:,} decisions"
    words = (
        "<p><b>evidenced</b>: this package shows it; <b>partly</b>: a part of it, or something in the period speaks "
        "against it; <b>customer</b>: nothing here can show it; <b>not applicable</b>: nothing of the kind is governed "
        "here. Whether a requirement is met is for an assessor to say.</p>"
    )
    return page("pci_matrix.html", "PCI DSS 4.0.1: what the period shows", about, counts + words + "<br>" + rows)


def _matrix_row(row: Row) -> Iterator[str]:
    yield f'<span id="{text(row.control)}">{code(row.control)}</span><br>{text(row.title)}'
    yield status(row.status)
    shown = "".join(f"<li>{text(said)}" for said in row.shown)
    against = "".join(f'<li class="bad">against it: {text(said)}' for said in row.against)
    places = " ".join(f'<a href="{_link(place)}">{text(place)}</a>' for place in row.places)
    rules = "".join(f"<li>{code(rule.code)} {text(rule.place)} · {rule.decisions:,} decisions" for rule in row.rules)
    folded = f"<details><summary>rules: {len(row.rules)}</summary><ul>{rules}</ul></details>" if rules else ""
    listed = f'<ul class="shown">{shown}{against}</ul>' if shown or against else '<span class="dim">nothing</span>'
    yield f'{listed}<span class="dim">{places}</span>{folded}'
    yield f'<span class="dim">{text(row.owes)}</span>'


def _link(place: str) -> str:
    return text(place.removeprefix("report/") if place.startswith("report/") else f"../{place}")


def matrix_csv(matrix: Matrix) -> bytes:
    """`report/pci_matrix.csv`."""
    rows = (
        (
            row.control, row.title, row.status, "; ".join(row.shown), " ".join(row.places), "; ".join(row.against),
            " ".join(rule.code for rule in row.rules), str(sum(rule.decisions for rule in row.rules)), row.owes,
        )
        for row in matrix.rows
    )  # fmt: skip
    return _csv(MATRIX_COLUMNS, rows)


def review_csv(review: Review) -> bytes:
    """`report/access_review.csv`."""
    rows = (
        (
            line.group, line.connection, line.relations, line.action, " ".join(line.labels), "; ".join(line.shown_as),
            " ".join(line.agents), str(line.used), "; ".join(f"{who}: {n}" for who, n in line.used_by.items()),
        )
        for line in review.lines
    )  # fmt: skip
    return _csv(REVIEW_COLUMNS, rows)


def _csv(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(each) for each in row] for row in rows)
    return out.getvalue().encode()


def review_page(review: Review) -> bytes:
    """`report/access_review.html`."""
    counts = tiles(
        [
            (f"{len(review.lines):,}", "rights"),
            (f"{review.unused:,}", "not used in the period"),
            (f"{len(review.idle_agents):,}", "agents of which nothing was let through"),
        ]
    )
    rows = table(
        ("Group", "Connection", "Relations", "Action", "Data", "Agents", "Decisions", "Used by"),
        (
            (
                text(line.group), text(line.connection), code(line.relations), text(line.action),
                "<br>".join(map(text, line.shown_as)), "<br>".join(map(text, line.agents)),
                f"{line.used:,}" if line.used else chip("unused", "part", "○"),
                "<br>".join(f"{text(who)} {count:,}" for who, count in line.used_by.items()),
            )
            for line in review.lines
        ),
        [6],
    )  # fmt: skip
    idle = "".join(f"<li>{text(agent)}" for agent in review.idle_agents)
    beyond = table(("Right", "Decisions"), ((code(r), f"{n:,}") for r, n in review.beyond.items()), [1])
    body = counts + "<h2>Rights by role, data and action</h2>" + rows
    body += f"<h2>Who sees a label unmasked</h2>{_clearances(review)}"
    body += f"<h2>Idle agents</h2><ul>{idle}</ul>" if idle else ""
    body += f"<h2>Used, and not in this bundle any more</h2>{beyond}" if review.beyond else ""
    about = f"Bundle {code(review.bundle[:12])} {text(review.revision)} · what reviewers look at for 7.2.4 and 7.2.5"
    return page("access_review.html", "Who may do what", about, body)


def _clearances(review: Review) -> str:
    return table(
        ("Group", "Connection", "Label", "When", "Agents", "Decisions that showed it"),
        (
            (
                text(each.group), text(each.connection), code(each.label), text(each.when),
                "<br>".join(map(text, each.agents)),
                "<br>".join(f"{text(who)} {count:,}" for who, count in each.used_by.items())
                or chip("unused", "part", "○"),
            )
            for each in review.clearances
        ),
    )  # fmt: skip


def daily_page(material: Material) -> bytes:
    """`report/daily.html`."""
    days = material.days
    signed = material.signed_off
    rows = table(
        ("Day", "Decisions", "Refused", "Sessions", "Failed logins", "What stands out", "Reviewed"),
        (_day_row(day, signed.get(day.day)) for day in days),
        [1, 2, 3, 4],
    )
    meanings = table(("Name", "What it means"), ((code(name), text(said)) for name, said in DETECTIONS.items()))
    about = "Each day with what stands out first, and who signed it off (PCI DSS 10.4.1). Days are UTC."
    return page("daily.html", "Day by day", about, f"<br>{rows}<h2>What is looked for</h2>{meanings}")


def _day_row(day: Digest, signed: SignOff | None) -> Iterator[str]:
    yield code(day.day)
    yield f"{day.decisions:,}"
    yield f"{day.by_outcome.get('deny', 0):,}"
    yield f"{day.sessions:,}"
    yield f"{sum(day.failed_logins.values()):,}"
    yield "<br>".join(f"{code(each.name)} {text(each.what)} · {each.count:,}" for each in day.detections)
    if signed is None:
        yield chip("not yet", "part", "○")
    else:
        if signed.digest == sha256_of(day):
            mark = chip("signed off", "good", "●")
        elif signed.until < day.until:
            mark = chip(f"up to {signed.until[11:16]}", "part", "◐")
        else:
            mark = chip("signed off another digest", "part", "◐")
        yield f"{mark}<br>{text(signed.who)}: {text(signed.reason)}"


def index_page(material: Material, matrix: Matrix, sample: Sample, period: str) -> bytes:
    """`report/index.html`."""
    outcomes = material.outcomes
    counts = tiles(
        [
            (f"{sum(outcomes.values()):,}", "decisions"),
            *((f"{count:,}", outcome) for outcome, count in outcomes.items()),
            (f"{len(material.tally.agents):,}", "agents"),
            (f"{sum(day.sessions for day in material.tally.days.values()):,}", "sessions"),
        ]
    )
    states = tiles((sum(r.status == s for r in matrix.rows), f"{KINDS[s][1]} {s}") for s in STATES)
    tree = material.taken.newest.tree
    terms = {
        "Log": code(tree.origin),
        "Leaves under the root": f"{tree.size:,}",
        "Root": code(tree.root.hex()),
        "Population": code("decisions/population.csv"),
        "Sample": f"{len(sample.places):,} decisions of {len(sample.strata):,} strata; seed {code(sample.seed)}",
    }
    about = f"{text(period)} · log {code(tree.origin)}"
    defined = "".join(f"<dt>{name}<dd>{said}" for name, said in terms.items())
    verify = (
        "<pre>python3 verify.py --key log.pub evidence.zip</pre><p>The key comes from whoever kept it when the log "
    )
    verify += "began, not from this package. VERIFY.md has the same checks in Go, openssl and opa.</p>"
    body = f"{counts}<h2>Requirements</h2>{states}<h2>What is proved</h2><dl>{defined}</dl><h2>Check it</h2>{verify}"
    parts = (_extras(material), _lives(material), _operation(material))
    return page("index.html", "Evidence of a period", about, body + "".join(parts))


def _extras(material: Material) -> str:
    """Retention, and results of other commands that were put in."""
    rows = (
        (
            chip("holds", "good", "●") if fact.holds else chip("speaks against it", "bad", "!"),
            text(fact.text),
            f'<a href="{_link(fact.place)}">{text(fact.place)}</a>',
        )
        for fact in material.extras.values()
    )
    return f"<h2>Scan, reconciliation, retention</h2>{table(('', 'Result', 'File'), rows)}"


def _lives(material: Material) -> str:
    rows = (
        (
            f"{code(life.sha256[:12])}<br>{text(life.revision)}",
            f"{life.decisions:,}",
            "<br>".join(
                text(f"{each.time[:19]} {each.why} {each.who} {each.reason}".strip()) for each in life.activations
            ),
            f"{life.tests.asked:,} asked, {len(life.tests.wrong):,} otherwise"
            if life.tests
            else chip("not kept", "bad", "!"),
            f"{len(life.coverage.reached)} of {life.coverage.rules}" if life.coverage else "",
            code(life.before[:12]),
        )
        for life in material.bundles.lives
    )
    heads = ("Bundle", "Decisions", "In force since", "Its own tests", "Rules they reach", "Before it")
    return f"<h2>Bundles that decided</h2>{table(heads, rows, [1])}"


def _operation(material: Material) -> str:
    operation = material.operation
    degraded = table(
        ("Cause", "Start", "End", "Seconds", "Refused", "Lost", "Leaf"),
        (
            (text(d.cause), text(d.start), text(d.end), f"{d.seconds:g}", f"{d.refused:,}", f"{d.lost:,}", code(d.leaf))
            for d in operation.degraded
        ),
        [3, 4, 5],
    )
    keys = table(
        ("Use", "Key", "Since", "Until"),
        ((text(key.use), code(key.name), text(key.since), text(key.until)) for key in operation.keys),
    )
    clock = table(
        ("Time", "Leaf", "What"),
        ((text(c.time), code(c.leaf), text(", ".join(_flat(c.facts, c.type)))) for c in operation.clock),
    )
    return f"<h2>Degraded intervals</h2>{degraded}<h2>Clock</h2>{clock}<h2>Keys</h2>{keys}"


def _flat(facts: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    """Facts in words: `databases payments offset_us 40`."""
    for name, said in sorted(facts.items()):
        path = f"{prefix} {name}".strip()
        if isinstance(said, dict):
            yield from _flat(said, path)
        else:
            yield f"{path} {said}"
