"""One pass over leaves: days, agents, rare leaves, hours; what is outside the period is passed over."""

from gateway.cli.audit.exporting import tally as tallying
from gateway.cli.audit.exporting.tally import Tally
from gateway.evidence.package.population import Period
from gateway.evidence.package.verifier.story import Leaf

WEDNESDAY = 1_795_564_800 * 10**9
HOUR = 3600 * 10**9


def leaf(kind: str, time_ns: int, at: int = 0, **more: object) -> Leaf:
    said: dict[str, object] = {"type": kind, "t": str(time_ns), "seq": at + 1, "sid": "s"}
    return Leaf(1, at, b"", said | more)


def decided(time_ns: int, outcome: str = "allow", connection: str = "payments") -> Leaf:
    who = {"id": "a"}
    return leaf("statement.decided", time_ns, who=who, res=connection, act="select", outcome=outcome, out="sha256:x")


def test_decisions_are_counted_by_day_hour_and_outcome() -> None:
    tally = Tally(Period(0, 1 << 62))
    for hours, outcome in ((5, "allow"), (9, "deny"), (9, "deny"), (33, "mask")):
        tally.see(decided(WEDNESDAY + hours * HOUR, outcome))
    assert sorted(tally.days) == ["2026-11-25", "2026-11-26"]
    assert tally.days["2026-11-25"].denied_by_hour == {5: 0, 9: 2}
    assert {group.off_hours for group in tally.days["2026-11-25"].groups if group.outcome == "allow"} == {True}
    assert {group.off_hours for group in tally.groups if group.outcome != "allow"} == {False}


def test_a_saturday_is_off_hours() -> None:
    tally = Tally(Period(0, 1 << 62))
    tally.see(decided(WEDNESDAY + 3 * 24 * HOUR + 12 * HOUR))
    assert {group.off_hours for group in tally.groups} == {True}


def test_what_is_outside_the_period_or_the_connections_is_not_counted() -> None:
    tally = Tally(Period(10, 20, ("payments",)))
    for each in (decided(9), decided(10), decided(20), decided(15, connection="other")):
        tally.see(each)
    assert tally.groups.total() == 1
    assert tally.kinds == {"statement.decided": 2}


def test_agents_rows_blanked_values_and_failed_logins() -> None:
    tally = Tally(Period(0, 1 << 62))
    tally.see(leaf("session.opened", 1, who={"id": "a"}, data={"groups": ["g"]}))
    tally.see(leaf("statement.finished", 2, 1, res="payments", data={"rows": 7, "blanked": 2}))
    tally.see(leaf("auth.failed", 3, 2, data={"code": "token.expired", "client_ip": "10.0.0.9"}))
    tally.see(leaf("recording.sealed", 4, 3, data={"recipients": ["k"]}))
    (day,) = tally.days.values()
    assert (tally.agents, tally.rows, day.blanked) == ({"a": {"g"}}, 7, {"payments": 2})
    assert day.failed_logins == {("token.expired", "10.0.0.9"): 1}
    assert tally.recipients == {"k"}


def test_rare_leaves_are_kept_up_to_a_bound() -> None:
    before = tallying.MAX_KEPT
    tally = Tally(Period(0, 1 << 62))
    for at in range(before + 4):
        tally.see(leaf("clock.measured" if at else "policy.stopped", 1 + at, at, ok=bool(at % 2)))
    assert (len(tally.rare("clock.")), len(tally.rare("policy.stopped")), tally.dropped) == (before, 1, 3)
    assert tally.not_ok["clock.measured"] == before // 2 + 1
    assert tally.rare("none") == []
