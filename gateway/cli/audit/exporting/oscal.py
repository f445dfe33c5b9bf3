"""The period as OSCAL assessment-results (NIST, 1.2.1): what was observed for each requirement, with its evidence.

It has observations and no findings: a finding says that a requirement is satisfied or not, and that is an assessor's
word. Identifiers are version 5 UUIDs of the log's root, so the same package has the same ones.
"""

from collections.abc import Iterator
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from gateway.cli.audit.exporting.matrix import CUSTOMER, NOT_APPLICABLE, Matrix, Row
from gateway.evidence.package.building import Taken
from gateway.evidence.package.population import Sample
from gateway.evidence.package.verifier.drawn import moment

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "https://querywarden.example/ns/oscal"
PLAN: Final = "assessment plan"
RESOURCES: Final = {
    "VERIFY.md": "How to check this package",
    "MANIFEST.json": "Every file of this package by size and sha256, signed in MANIFEST.dsse.json",
    "decisions/population.csv": "Every decision of the period",
    "decisions/sample.json": "The sample that was drawn from it, and how",
    "report/pci_matrix.html": "What the period shows of each requirement",
}


def assessment_results(taken: Taken, sample: Sample, matrix: Matrix, made_by: str) -> dict[str, object]:
    """The document."""
    own = uuid5(NAMESPACE_URL, f"{taken.newest.tree.origin}/{taken.newest.tree.root.hex()}/{taken.period}")
    at = _time(taken.newest.last_ns())
    return {
        "assessment-results": {
            "uuid": str(own),
            "metadata": {
                "title": "Evidence of a period, as observed by the gateway",
                "last-modified": at,
                "version": taken.newest.tree.root.hex()[:16],
                "oscal-version": OSCAL_VERSION,
                "props": [_prop("made-by", made_by), _prop("log-origin", taken.newest.tree.origin)],
                "remarks": "Observations only: whether a requirement is met is for an assessor to say.",
            },
            "import-ap": {
                "href": f"#{_id(own, PLAN)}",
                "remarks": "There is no plan: the gateway observes what the catalogue of requirements names.",
            },
            "results": [_result(own, taken, sample, matrix)],
            "back-matter": {"resources": list(_resources(own))},
        }
    }


def _result(own: UUID, taken: Taken, sample: Sample, matrix: Matrix) -> dict[str, object]:
    rows = [row for row in matrix.rows if row.status != NOT_APPLICABLE]
    return {
        "uuid": _id(own, "result"),
        "title": f"{matrix.decisions} decisions under bundle {matrix.bundle[:12] or 'none'}",
        "description": f"{matrix.period}; {len(sample.places)} decisions sampled from {len(sample.strata)} strata.",
        "start": _time(taken.period.since_ns),
        "end": _time(taken.period.until_ns),
        "reviewed-controls": {
            "control-selections": [{"include-controls": [{"control-id": _control(row.control)} for row in rows]}]
        },
        "observations": [_observation(own, row, _time(taken.newest.last_ns())) for row in rows],
    }


def _observation(own: UUID, row: Row, collected: str) -> dict[str, object]:
    said = [*row.shown, *(f"against it: {each}" for each in row.against)]
    observation: dict[str, object] = {
        "uuid": _id(own, row.control),
        "title": f"{row.control}: {row.title}",
        "description": "; ".join(said) or "Nothing in this period shows it.",
        "props": [_prop("status", row.status.replace(" ", "-")), _prop("control-id", _control(row.control))],
        "methods": ["EXAMINE"] if row.status == CUSTOMER else ["EXAMINE", "TEST"],
        "types": ["control-objective"],
        "collected": collected,
    }
    if row.places:
        observation["relevant-evidence"] = [
            {"href": f"../{place}", "description": "In this package"} for place in row.places
        ]
    if row.owes:
        observation["remarks"] = f"The customer owes: {row.owes}"
    return observation


def _resources(own: UUID) -> Iterator[dict[str, object]]:
    yield {"uuid": _id(own, PLAN), "title": "No assessment plan", "description": "Observed continuously, by no plan."}
    for name, title in RESOURCES.items():
        yield {"uuid": _id(own, name), "title": title, "rlinks": [{"href": f"../{name}"}]}


def _prop(name: str, value: str) -> dict[str, object]:
    return {"name": name, "ns": NAMESPACE, "value": value}


def _id(own: UUID, name: str) -> str:
    return str(uuid5(own, name))


def _control(control: str) -> str:
    """A token of OSCAL: `pci-dss-4.0.1_3.4.1`."""
    return control.lower().replace("/", "_")


def _time(time_ns: int) -> str:
    return f"{moment(time_ns)[:19]}Z"
