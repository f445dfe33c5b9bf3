"""Degraded intervals with cause, start and end; keys without secrets; rare leaves."""

from gateway.cli.audit.exporting.material import Material
from tests.evidence.package.world import key_of


def test_degraded_intervals_have_cause_start_and_end(material: Material) -> None:
    one, _ = material.operation.degraded
    assert (one.cause, one.seconds, one.refused, one.lost) == ("ENOSPC", 1.0, 3, 0)
    assert one.start < one.end


def test_the_inventory_has_the_logs_public_key_and_who_signed_bundles(material: Material) -> None:
    keys = {key.use: key.name for key in material.operation.keys}
    assert keys["signs checkpoints of the log, proofs and packages"] == key_of(material.taken.data_dir).strip()
    assert keys["signs policy bundles"] == "k"


def test_events_about_the_gateway_are_listed(material: Material) -> None:
    kinds = {event.type for event in material.operation.events}
    assert {"log.opened", "log.degraded", "policy.stopped"} <= kinds
    assert "statement.decided" in material.operation.counts
