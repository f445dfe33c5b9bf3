"""Reports as JSON: counts that the verifier counts again, the same bytes each time."""

import msgspec

from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.reports import absent, made_by, report_parts, spoken, summary_of
from gateway.evidence.package.population import Period
from gateway.policy.requirements import read_catalogue, shipped_catalogue


def test_the_summary_counts_decisions_by_outcome(material: Material) -> None:
    told = summary_of(material)
    assert told["decisions"] == {"total": 32, "by_outcome": {"allow": 8, "deny": 8, "mask": 16}}
    assert (told["sessions"], absent(material)) == (16, {})


def test_every_report_is_made_alike_twice(material: Material, drawn: Drawn) -> None:
    catalogue = read_catalogue(shipped_catalogue())
    one, other = (
        {name: content() for name, content in report_parts(material, catalogue, drawn.sample).items()} for _ in range(2)
    )
    assert one == other
    for name, raw in one.items():
        if name.endswith(".json"):
            assert isinstance(raw, bytes)
            msgspec.json.decode(raw)


def test_a_period_is_said_in_words() -> None:
    assert (
        spoken(Period(0, 10**9, ("payments",))) == "1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z · connections payments"
    )
    assert made_by().startswith("querywarden ")
