"""`report/` of a package: each report as JSON, the ones people read as pages and CSV too."""

from collections.abc import Mapping
from functools import partial
from importlib.metadata import version

from gateway.cli.audit.exporting import pages
from gateway.cli.audit.exporting.days import sha256_of
from gateway.cli.audit.exporting.facts import facts_of, governed
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.matrix import Matrix, matrix_of
from gateway.cli.audit.exporting.oscal import assessment_results
from gateway.evidence.package.contents import as_json
from gateway.evidence.package.population import Period, Sample
from gateway.evidence.package.verifier.contents import REVIEWS
from gateway.evidence.package.verifier.drawn import moment
from gateway.evidence.package.zipped import Content
from gateway.policy.requirements import Catalogue


def spoken(period: Period) -> str:
    """A period in words."""
    named = f" · connections {', '.join(period.connections)}" if period.connections else ""
    return f"{moment(period.since_ns)[:19]}Z to {moment(period.until_ns)[:19]}Z{named}"


def summary_of(material: Material) -> dict[str, object]:
    """The numbers that reports begin with; `verify.py` counts the first ones again."""
    return {
        "decisions": {"total": sum(material.outcomes.values()), "by_outcome": material.outcomes},
        "by_code": material.codes,
        "by_agent": _by_agent(material),
        "sessions": sum(day.sessions for day in material.tally.days.values()),
        "rows": material.tally.rows,
        "leaves": dict(sorted(material.tally.kinds.items())),
    }


def _by_agent(material: Material) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for group, count in sorted(material.groups.items()):
        agent = found.setdefault(group.subject, {})
        agent[group.outcome] = agent.get(group.outcome, 0) + count
    return found


def matrix_for(material: Material, catalogue: Catalogue) -> Matrix:
    """Of the bundle that came into force last."""
    last = material.bundles.last
    return matrix_of(
        catalogue,
        last.rules if last else (),
        material.codes,
        facts_of(material),
        governed=governed(material),
        period=spoken(material.taken.period),
        bundle=last.sha256 if last else "",
        decisions=sum(material.outcomes.values()),
    )


def report_parts(material: Material, catalogue: Catalogue, sample: Sample) -> dict[str, Content]:
    """Names and contents, each made when it is written."""
    matrix, review = matrix_for(material, catalogue), material.review
    daily = {
        "days": material.days,
        "digests": {day.day: sha256_of(day) for day in material.days},
        "signed_off": material.signed_off,
    }
    parts: dict[str, Content] = {
        "report/summary.json": partial(as_json, summary_of(material)),
        "report/index.html": partial(pages.index_page, material, matrix, sample, spoken(material.taken.period)),
        "report/pci_matrix.json": partial(as_json, matrix),
        "report/pci_matrix.csv": partial(pages.matrix_csv, matrix),
        "report/pci_matrix.html": partial(pages.matrix_page, matrix),
        "report/oscal_assessment_results.json": partial(
            as_json, assessment_results(material.taken, sample, matrix, made_by())
        ),
        "report/daily.json": partial(as_json, daily),
        "report/daily.html": partial(pages.daily_page, material),
        "report/operation.json": partial(as_json, material.operation),
        "report/bundles.json": partial(as_json, material.bundles.lives),
        "report/access_review.html": partial(pages.review_page, review or pages.NO_REVIEW),
        "report/access_review.json": partial(as_json, review or pages.NO_REVIEW),
        "report/access_review.csv": partial(pages.review_csv, review or pages.NO_REVIEW),
    }
    for signed in material.reviews:
        snapshot = material.taken.snapshot(signed.epoch)
        parts[f"{REVIEWS}{signed.epoch}-{signed.leaf}.tlog-proof"] = partial(snapshot.proof, signed.leaf)
    return parts


def made_by() -> str:
    """The program, as the manifest names it."""
    return f"querywarden {version('querywarden')}"


def absent(material: Material) -> Mapping[str, object]:
    """What should be in the package and is not, for the manifest."""
    lost = [life.sha256 for life in material.bundles.lives if not life.kept]
    return {"absent": {"bundles": lost}} if lost else {}
