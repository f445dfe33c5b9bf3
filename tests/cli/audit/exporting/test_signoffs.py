"""Sign-offs are found wherever behind the period they stand."""

from gateway.cli.audit.accessing import note_review
from gateway.cli.audit.exporting.signoffs import sign_offs
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period
from gateway.policy.orders import Reviewed
from tests.cli.audit.exporting.world import DAY, NOON, Days


def test_a_review_after_the_period_is_found(own_days: Days) -> None:
    digest = f"sha256:{'0' * 64}"
    note_review(own_days.folder, Reviewed(day=DAY, until="u", digest=digest, detections=2, person="eve"), "all well")
    (review,) = sign_offs(take(own_days.folder, Period(0, NOON)))
    assert (review.day, review.who, review.reason, review.until, review.digest) == (DAY, "eve", "all well", "u", digest)
