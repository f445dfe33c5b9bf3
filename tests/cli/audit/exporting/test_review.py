"""The access review: rights out of the bundle, used and unused; clearances; what a decision rested on that is gone."""

from gateway.cli.audit.exporting.answers import Said
from gateway.cli.audit.exporting.review import Review, review_of
from gateway.cli.audit.exporting.tally import Group
from gateway.policy.site import BreakGlass, Clear, Grant, Site

SITE = Site(
    classification={"payments": {"public.cards": {"pan": ("pan",), "cvv": ("cvv",)}, "other.t": {"x": ("secret",)}}},
    grants=(
        Grant(groups=("agents",), connections=("payments",), relations=("public.*",), actions=("select", "delete")),
        Grant(groups=("*",), connections=("*",), relations=("*",), actions=("*",)),
    ),
    masks={"pan": "last4"},
    clear=(Clear(groups=("readers",), connections=("payments",), labels=("pan",), reason_required=True),),
    break_glass=(BreakGlass(groups=("oncall",), connections=("payments",), labels=("pan",)),),
)
AGENTS = {"a": {"agents", "readers"}, "b": {"agents"}, "idle": set[str]()}


def group(answer: str, subject: str = "a") -> Group:
    return Group(answer, subject, "payments", "select", "allow", "", "", False)  # noqa: FBT003 -- off hours or not


def review(*grants: str, shown: tuple[str, ...] = ()) -> Review:
    answers = {"x": Said(grants=grants, shown=shown)}
    return review_of(("b" * 64, "r1"), SITE, AGENTS, {group("x"): 3, group("x", "b"): 1}, answers)


def test_every_right_is_a_line_with_labels_and_how_they_are_shown() -> None:
    line = review().lines[0]
    assert (line.group, line.connection, line.relations, line.action) == ("agents", "payments", "public.*", "select")
    assert line.shown_as == ("cvv: null", "pan: last4")
    assert line.agents == ("a", "b")
    assert review().lines[2].labels == ("cvv", "pan", "secret")
    assert review().lines[2].agents == ("a", "b", "idle")


def test_used_and_unused_rights_are_told_apart() -> None:
    found = review("agents/payments/public.*/select")
    assert [(line.action, line.used, line.used_by) for line in found.lines] == [
        ("select", 4, {"a": 3, "b": 1}), ("delete", 0, {}), ("*", 0, {}),
    ]  # fmt: skip
    assert (found.unused, found.idle_agents, found.beyond) == (2, ("idle",), {})


def test_a_grant_for_everything_is_used_whatever_it_was_about() -> None:
    found = review("*/payments/*/update")
    assert [line.used for line in found.lines] == [0, 0, 4]
    assert found.beyond == {}


def test_what_this_bundle_does_not_grant_any_more_is_named() -> None:
    assert review("writers/payments/public.*/insert").beyond == {"writers/payments/public.*/insert": 4}


def test_clearances_say_when_and_by_whom_they_were_used() -> None:
    clear, glass = review(shown=("public.cards.pan",)).clearances
    assert (clear.group, clear.when, clear.agents, clear.used_by) == ("readers", "with a reason", ("a",), {"a": 3})
    assert (glass.when, glass.agents, glass.used_by) == ("in an emergency", (), {})
