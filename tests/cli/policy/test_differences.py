"""The comparison itself, without a log and without an engine."""

from collections.abc import Iterable, Iterator

from gateway.cli.policy.differences import compare, in_words
from gateway.cli.policy.evaluating import answer_of
from gateway.cli.policy.past import Group, Step

ALLOW, DENY = b'{"outcome":"allow","reasons":[]}', b'{"outcome":"deny","reasons":[{"args":{},"code":"access.blocked"}]}'
ASKED = b'{"statement":{"relations":[{"name":"cards","schema":"public"}],"text_redacted":"TABLE cards"}}'


class FakePast:
    def __init__(self, **bodies: bytes) -> None:
        self._bodies = bodies

    def groups(self, step: Step) -> list[Group]:
        step(0, 0)
        return []

    def bodies(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return ((name, self._bodies[name]) for name in names if name in self._bodies)


def group(asked: str, answer: bytes, subject: str = "agent", count: int = 1) -> Group:
    return Group(asked, answer_of(answer).sha256, subject, "payments", "b", count, f"did-{subject}")


def test_changes_are_weighed_by_the_number_of_decisions() -> None:
    groups = [group("q", ALLOW, "a", 3), group("q", ALLOW, "b", 4), Group("", "", "c", "payments", "", 5, "d")]
    past = FakePast(q=ASKED, **{answer_of(ALLOW).sha256: ALLOW})
    found = compare(past, groups, {"q": answer_of(DENY)})
    assert (found.decisions, found.not_asked, found.same, found.changed, found.missing) == (12, 5, 0, 7, 0)
    assert found.outcomes == {"allow -> deny": 7}
    assert found.agents == {"b": 4, "a": 3}
    assert found.tables == {"payments/public.cards": 7}
    assert (found.gained, found.lost) == ({"access.blocked": 7}, {})


def test_those_that_change_alike_are_one_example() -> None:
    past = FakePast(q=ASKED, **{answer_of(ALLOW).sha256: ALLOW})
    found = compare(past, [group("q", ALLOW, "a", 3), group("q", ALLOW, "b", 4)], {"q": answer_of(DENY)})
    assert [(each.did, each.decisions) for each in found.examples] == [("did-b", 7)]


def test_other_reasons_are_a_change_of_their_own() -> None:
    other = b'{"outcome":"deny","reasons":[{"args":{},"code":"access.no_grant"}]}'
    past = FakePast(q=ASKED, **{answer_of(DENY).sha256: DENY})
    found = compare(past, [group("q", DENY)], {"q": answer_of(other)})
    assert found.outcomes == {"deny": 1}
    assert not found.none


def test_an_answer_that_is_gone_leaves_the_decision_unknown() -> None:
    found = compare(FakePast(q=ASKED), [group("q", ALLOW)], {"q": answer_of(DENY)})
    assert (found.changed, found.missing, found.none) == (0, 1, False)
    assert "UNKNOWN     1" in in_words(found)


def test_the_same_answer_is_no_difference_and_needs_no_document() -> None:
    found = compare(FakePast(), [group("q", ALLOW)], {"q": answer_of(ALLOW)})
    assert found.none
