"""Gathered once: outcomes, codes, days one after the other, the bundle in force."""

from gateway.cli.audit.exporting.material import Material
from tests.cli.audit.exporting.world import Days


def test_outcomes_and_codes_are_counted_once(material: Material) -> None:
    assert material.outcomes == {"allow": 8, "deny": 8, "mask": 16}
    assert material.codes["pci.cardholder.cleared"] == 4


def test_an_agent_is_new_on_its_first_day_only(material: Material) -> None:
    news = [{each.what for each in day.detections if each.name == "agent.new"} for day in material.days]
    assert (len(news[0]), news[1]) == (4, set())


def test_the_bundle_in_force_has_its_columns_and_no_copies_went_anywhere(material: Material, days: Days) -> None:
    assert material.bundles.last is not None
    assert material.bundles.last.sha256 == days.bundle
    assert (material.columns, material.sinks, material.signed_off) == (2, 0, {})
