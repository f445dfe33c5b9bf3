"""Site data that contradicts itself is found, and what is left out never opens anything."""

import json
from collections.abc import Mapping

import msgspec
import pytest

from gateway.policy.site import ACTIONS, ANY, SENSITIVE, Limit, Site, contradictions, names_connection

ENTRY = {"groups": ["g"], "connections": ["c"]}
DEMAND = {"any_of": ["dba"]}


def site(**parts: object) -> Site:
    return msgspec.convert(parts, Site)


def found(**parts: object) -> dict[str, str]:
    return dict(contradictions(site(**parts)))


def test_nothing_said_contradicts_nothing_and_grants_nothing() -> None:
    assert found() == {}
    assert Site().grants == ()
    assert Site().posture_of("any").guarded


@pytest.mark.parametrize("label", sorted(SENSITIVE))
@pytest.mark.parametrize("method", ["fixed", "last4", "first6_last4"])
def test_sensitive_authentication_data_is_never_shown_in_part(label: str, method: str) -> None:
    assert list(found(masks={label: method})) == [f"masks.{label}"]
    assert found(masks={label: "null"}) == {}


@pytest.mark.parametrize("label", sorted(SENSITIVE))
def test_nobody_is_cleared_for_sensitive_authentication_data(label: str) -> None:
    assert label in found(clear=[{**ENTRY, "labels": ["pan"]}, {**ENTRY, "labels": ["pan", label]}])["clear[1].labels"]


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        ({"grants": [{**ENTRY, "relations": ["*"], "actions": ["selekt"]}]}, "grants[0].actions"),
        ({"deny": [{"actions": ["drop", "trunkate"]}]}, "deny[0].actions"),
        ({"approvals": [{"actions": ["delet"], "demand": DEMAND}]}, "approvals[0].actions"),
        ({"approvals": [{"demand": {}}]}, "approvals[0].approvers"),
        ({"limits": [{"groups": ["g"]}]}, "limits[0]"),
        ({"deny": [{"connections": ["c"]}]}, "deny[0]"),
        ({"required": [{"actions": ["selekt"], "ticket": True}]}, "required[0].actions"),
        ({"required": [{"actions": ["select"]}]}, "required[0]"),
        ({"hours": [{"from": 60, "to": 60}]}, "hours[0]"),
        ({"application_identities": [{"programs": ["x"]}]}, "application_identities[0]"),
        ({"break_glass": [{**ENTRY, "labels": ["pan"]}, {**ENTRY, "labels": ["cvv"]}]}, "break_glass[1].labels"),
        ({"break_glass": [{**ENTRY, "groups": ["*"], "labels": ["pan"]}]}, "break_glass[0].groups"),
        ({"break_glass": [{**ENTRY, "connections": ["*"], "labels": ["pan"]}]}, "break_glass[0].connections"),
        ({"posture": {"c": "open"}, "classification": {"c": {"s.t": {"x": ["pan"]}}}}, "posture.c"),
        ({"posture": {"c": "open"}, "filters": [{"relation": "s.t", "sql": "true"}]}, "posture.c"),
        ({"posture": {"c": "open"}, "filters": [{"connections": ["c"], "relation": "s.t", "sql": "x"}]}, "posture.c"),
    ],
)
def test_a_contradiction_is_named_by_its_place(parts: Mapping[str, object], place: str) -> None:
    assert list(found(**parts)) == [place]


def test_an_action_that_nobody_knows_is_guessed_at() -> None:
    assert found(deny=[{"actions": ["trunkate"]}])["deny[0].actions"].endswith("; did you mean truncate?")
    assert found(deny=[{"actions": ["zzz"]}])["deny[0].actions"] == "no such action: zzz"


def test_hours_and_identities_that_say_something_contradict_nothing() -> None:
    assert found(hours=[{}, {"from": 1320, "to": 360}], application_identities=[{"groups": ["g"]}]) == {}
    assert found(application_identities=[{"subjects": ["svc-*"]}], break_glass=[{**ENTRY, "labels": ["pan"]}]) == {}


def test_open_is_fine_for_a_connection_that_holds_nothing_protected() -> None:
    classified = {"other": {"s.t": {"x": ["pan"]}}}
    filtered = [{"connections": ["other"], "relation": "s.t", "sql": "true"}]
    assert found(posture={"c": "open", "d": "guarded"}, classification=classified, filters=filtered) == {}
    assert not site(posture={"c": "open"}).posture_of("c").guarded


@pytest.mark.parametrize(
    "parts",
    [
        {"grants": [{"groups": ["g"], "connections": ["c"], "relations": ["*"]}]},
        {"grants": [{"groups": [], "connections": ["c"], "relations": ["*"], "actions": ["*"]}]},
        {"grants": [{**ENTRY, "relations": ["cards"], "actions": ["*"]}]},
        {"grants": [{**ENTRY, "relations": ["*.cards"], "actions": ["*"]}]},
        {"grants": [{**ENTRY, "relations": ["*"], "actions": ["*"], "whre": "x"}]},
        {"clear": [{**ENTRY, "labels": []}]},
        {"masks": {"pan": "last5"}},
        {"masks": {"PAN": "last4"}},
        {"posture": {"c": "closed"}},
        {"limits": [{"rows": 0}]},
        {"limits": [{"rows": 2**53}]},
        {"classification": {"c": {"cards": {"pan": ["pan"]}}}},
        {"classification": {"c": {"s.*": {"pan": ["pan"]}}}},
        {"filters": [{"relation": "s.*", "sql": "true"}]},
        {"triggers": {"allow": ["s.t"]}},
        {"grant": []},
        {"hours": [{"days": []}]},
        {"hours": [{"days": ["monday"]}]},
        {"hours": [{"from": 1440}]},
        {"hours": [{"to": 1441}]},
        {"hours": [{"utc_offset": 841}]},
        {"application_identities": [{"subjects": ["*-agent"]}]},
        {"interactive_exceptions": [{"subjects": ["a"], "until": "2026-12-01T00:00:00Z", "ticket": "T"}]},
        {"interactive_exceptions": [{"subjects": ["a"], "until": "soon", "ticket": "T", "approved_by": "b"}]},
        {"break_glass": [{"groups": ["g"], "labels": ["pan"]}]},
    ],
)
def test_what_nobody_can_mean_is_no_site_data(parts: Mapping[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        site(**parts)


def test_a_condition_that_is_left_out_is_filled_in_so_that_rego_tests_memberships_only() -> None:
    made = json.loads(msgspec.json.encode(site(deny=[{"actions": ["drop"]}], limits=[{"rows": 5}])))
    assert made["deny"] == [{"groups": ["*"], "connections": ["*"], "actions": ["drop"], "without_where": False}]
    assert made["limits"][0] == {
        "groups": ["*"],
        "connections": ["*"],
        "rows": 5,
        "rows_by_label": {},
        "window": 3600,
    }
    assert Limit(rows=1).groups == ANY


def test_a_connections_posture_is_cut_from_the_whole() -> None:
    whole = site(
        classification={"c": {"s.t": {"x": ["pan"]}}, "d": {"s.u": {"y": ["cvv"]}}},
        filters=[
            {"connections": ["c"], "relation": "s.f", "sql": "true"},
            {"connections": ["d"], "relation": "s.g", "sql": "true"},
            {"relation": "s.h", "sql": "true"},
        ],
        functions={"allow": ["s.z", "s.a"]},
        triggers={"allow": ["s.t.trigger"]},
        scan_exempt=[
            {"connection": "c", "relation": "s.t", "columns": ["b", "a"]},
            {"connection": "c", "relation": "s.t", "columns": ["a", "c"]},
            {"connection": "d", "relation": "s.t", "columns": ["z"]},
        ],
        write_masked=True,
    )
    posture = whole.posture_of("c")
    assert posture.labels == {"s.t": {"x": ("pan",)}}
    assert posture.filtered == ("s.f", "s.h")
    assert posture.functions == ("s.a", "s.z")
    assert posture.triggers == ("s.t.trigger",)
    assert posture.scan_exempt == {"s.t": ("a", "b", "c")}
    assert posture.write_masked
    assert posture.guarded


def test_a_connection_is_named_or_all_are() -> None:
    assert names_connection(("a", "b"), "b")
    assert names_connection(("*",), "b")
    assert not names_connection(("a",), "b")


def test_the_actions_are_words() -> None:
    assert all(action.replace("_", "").isalpha() for action in ACTIONS)
