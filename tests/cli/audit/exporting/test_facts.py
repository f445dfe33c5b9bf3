"""What a period shows: each fact names a file of the package, and what speaks against a requirement is said."""

from gateway.cli.audit.exporting.facts import facts_of, governed
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.matrix import SHOWN_BY


def test_every_fact_is_one_that_a_requirement_asks_for(material: Material) -> None:
    named = {name for names in SHOWN_BY.values() for name in names}
    assert set(facts_of(material)) <= named


def test_the_two_days_show_what_happened(material: Material) -> None:
    facts = facts_of(material)
    assert facts["decisions"].text.startswith("32 statements decided")
    assert facts["cleared"].holds
    assert facts["degraded"].text.startswith("2 intervals")
    assert facts["approvals"].holds is None


def test_unreviewed_days_and_a_log_without_witness_speak_against_it(material: Material) -> None:
    facts = facts_of(material)
    assert (facts["reviews"].holds, facts["witness"].holds) == (False, False)


def test_the_bundle_governs_cards_and_codes_and_no_applications(material: Material) -> None:
    assert governed(material) == frozenset({"cards", "sensitive"})
