"""The life of a bundle: activations out of the log, its own tests, what they reach; one that is lost is said to be."""

import msgspec

from gateway.cli.audit.exporting.bundles import Bundles
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.tally import Day
from gateway.policy.store import BundleStore
from tests.cli.audit.exporting.world import Days


def test_a_bundle_answers_its_own_tests(material: Material, days: Days) -> None:
    (life,) = material.bundles.lives
    assert (life.sha256, life.kept, life.decisions) == (days.bundle, True, 32)
    assert life.tests is not None
    assert life.tests.asked > 200
    assert life.tests.wrong == ()
    assert life.coverage is not None
    assert len(life.coverage.reached) + len(life.coverage.missed) == life.coverage.rules
    assert [entry.why for entry in life.activations] == ["start"]


def test_its_files_are_made_when_they_are_written(material: Material, days: Days) -> None:
    parts = {name: content() for name, content in material.bundles.parts().items()}
    folder = f"policies/{days.bundle}"
    assert parts[f"{folder}/bundle.tar.gz"] == BundleStore(days.folder).read(days.bundle)
    assert isinstance(raw := parts[f"{folder}/tests.json"], bytes)
    assert msgspec.json.decode(raw)["wrong"] == []


def test_a_bundle_that_is_lost_or_was_changed_is_not_kept(own_days: Days) -> None:
    path = own_days.folder / "bundles" / f"{own_days.bundle}.tar.gz"
    path.write_bytes(path.read_bytes() + b"x")
    bundles = Bundles(own_days.folder, {f"sha256:{own_days.bundle}": 3, "sha256:" + "0" * 64: 1, "": 2})
    assert [life.kept for life in bundles.lives] == [False, False]
    assert (bundles.last, bundles.parts(), bundles.refusing(Day())) == (None, {}, frozenset())


def test_rules_that_refuse_are_known(material: Material) -> None:
    refusing = material.bundles.refusing(material.tally.days["2026-11-24"])
    assert {"access.no_grant", "access.action"} <= refusing
    assert "access.granted" not in refusing
