"""What stands out on a day, and what does not."""

import re
from collections import Counter
from pathlib import Path

import pytest

from gateway.cli.audit.exporting.answers import GLASS, Said
from gateway.cli.audit.exporting.days import DETECTIONS, Digest, Ground, digest_of, end_of
from gateway.cli.audit.exporting.tally import Day, Group, Kept

GROUND = Ground({}, frozenset({"access.action"}), 1 << 62)


def group(outcome: str = "allow", answer: str = "", action: str = "select", *, off_hours: bool = False) -> Group:
    return Group(answer, "agent", "payments", action, outcome, "", "", off_hours)


def found(digest: Digest) -> dict[str, int]:
    return {each.name: each.count for each in digest.detections}


def digest(day: Day, ground: Ground = GROUND, known: frozenset[str] = frozenset({"agent"})) -> Digest:
    return digest_of("2026-11-25", day, ground, known)


def test_a_quiet_day_has_nothing() -> None:
    assert digest(Day()).detections == ()


@pytest.mark.parametrize(("hour", "stands_out"), [(9, False), (30, True)])
def test_a_spike_is_three_times_a_usual_hour_and_ten(hour: int, stands_out: bool) -> None:  # noqa: FBT001 -- expected
    day = Day()
    for at in range(8):
        day.decided_by_hour[at] = 100
        day.denied_by_hour[at] = 3
    day.denied_by_hour[3] = hour
    assert ("denials.spike" in found(digest(day))) == stands_out


def test_an_agent_is_new_once() -> None:
    day = Day(agents={"agent", "other"})
    assert found(digest(day)) == {"agent.new": 1}


def test_cleared_reads_and_broken_glass_are_told_by_agent_and_column() -> None:
    answers = {"a": Said(shown=("public.cards.pan",)), "b": Said(codes=(GLASS,), shown=("public.cards.pan",))}
    day = Day(groups=Counter({group(answer="a"): 2, group(answer="b"): 1, group("deny", answer="a"): 5}))
    assert found(digest(day, GROUND._replace(answers=answers))) == {"card_data.cleared": 2, "glass.broken": 1}


def test_changes_at_night_stand_out_and_reads_do_not() -> None:
    day = Day(groups=Counter({group(action="update", off_hours=True): 1, group(off_hours=True): 9}))
    assert found(digest(day)) == {"off_hours": 1}


def test_failed_logins_of_one_address_add_up() -> None:
    day = Day(failed_logins=Counter({("a", "10.0.0.9"): 3, ("b", "10.0.0.9"): 2, ("a", "10.0.0.8"): 4}))
    assert found(digest(day)) == {"logins.failed": 5}
    assert digest(day).failed_logins == {"a": 7, "b": 2}


def test_rare_leaves_are_named_with_their_places() -> None:
    kept = [Kept(1, at, 0, "policy.stopped", "alice", "", "", "", True, {"kind": "everything"}) for at in (5, 6)]  # noqa: FBT003 -- ok
    (each,) = digest(Day(rare=kept)).detections
    assert (each.name, each.what, each.count, each.leaves) == ("policy.stopped", "everything", 2, ("1/5", "1/6"))


def test_a_clock_far_off_stands_out_and_one_that_is_right_does_not() -> None:
    kept = [Kept(1, at, 0, "clock.measured", "", "", "", "", at == 1, {}) for at in (1, 2)]
    assert found(digest(Day(rare=kept))) == {"clock.off": 1}


def test_blanked_card_numbers_stand_out() -> None:
    assert found(digest(Day(blanked=Counter({"payments": 4})))) == {"cards.blanked": 4}


def test_only_rules_that_refuse_are_named_for_a_refusal() -> None:
    answers = {"a": Said(codes=("access.action", "access.limited")), "b": Said(codes=("access.limited",))}
    day = Day(groups=Counter({group("deny", "a"): 2, group("deny", "b"): 1}))
    refused = digest(day, GROUND._replace(answers=answers)).refused_by_code
    assert refused == {"access.action": 2, "access.limited": 1}


def test_a_day_ends_at_midnight_utc_and_a_digest_says_how_far_it_goes() -> None:
    assert end_of("1970-01-01") == 86_400 * 10**9
    assert digest(Day()).until == "2026-11-26T00:00:00.000000000Z"
    assert digest(Day(), GROUND._replace(until_ns=1)).until == "1970-01-01T00:00:00.000000001Z"


def test_every_detection_has_a_meaning_and_stands_on_the_page() -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/daily-review.md").read_text("utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`([a-z_.]+)`", " ".join(rows))) == set(DETECTIONS)
    assert all(DETECTIONS.values())
