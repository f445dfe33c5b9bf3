"""The walk finds everything that does not fit, at its place, and agrees with msgspec about what fits."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from gateway.config.conform import Misfit, misfits
from gateway.config.load import hook_for
from gateway.config.quantities import Duration
from gateway.config.secret import Secret

HOOK = hook_for(Path("/etc"))


class Inner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    size: Annotated[int, Meta(ge=1, le=9)] = 1
    mode: Literal["fast", "slow"] = "fast"
    wait: Duration | None = None


class Outer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=5)]
    one: Inner | None = None
    many: Annotated[tuple[Inner, ...], Meta(min_length=1)] | None = None
    either: Inner | tuple[Inner, ...] | None = None
    by_name: dict[Annotated[str, Meta(pattern="^[a-z]+$")], Inner] = {}
    secret: Secret | None = None


def found(value: object) -> list[Misfit]:
    return sorted(misfits(value, Outer, (), HOOK), key=lambda each: (str(each.place), each.text))


@pytest.mark.parametrize(
    ("value", "place", "text"),
    [
        ([], (), "expected a mapping, found a list"),
        ({}, (), "name is missing"),
        ({"name": ""}, ("name",), "length >= 1"),
        ({"name": 5}, ("name",), "expected text, got a whole number"),
        ({"name": "x", "one": {"size": 0}}, ("one", "size"), ">= 1"),
        ({"name": "x", "one": {"size": "3"}}, ("one", "size"), "expected a whole number, got text"),
        ({"name": "x", "one": {"mode": "fats"}}, ("one", "mode"), "did you mean fast?"),
        ({"name": "x", "one": {"mode": 1}}, ("one", "mode"), "expected fast or slow"),
        ({"name": "x", "one": {"wait": 5}}, ("one", "wait"), "expected text"),
        ({"name": "x", "one": {"wait": "5"}}, ("one", "wait"), "not a duration"),
        ({"name": "x", "many": []}, ("many",), "at least one is needed"),
        ({"name": "x", "many": {}}, ("many",), "expected a list, found a mapping"),
        ({"name": "x", "many": [{}, {"size": 0}]}, ("many", 1, "size"), ">= 1"),
        ({"name": "x", "either": [{"size": 0}]}, ("either", 0, "size"), ">= 1"),
        ({"name": "x", "either": "y"}, ("either",), "expected a mapping, found text"),
        ({"name": "x", "by_name": {"A b": {}}}, ("by_name", "A b"), "the name A b cannot be used"),
        ({"name": "x", "by_name": {"a": {"size": 0}}}, ("by_name", "a", "size"), ">= 1"),
        ({"name": "x", "secret": "hunter2"}, ("secret",), "a secret stands as"),
        ({"name": "x", "secret": {}}, ("secret",), "a secret stands as"),
        ({"name": "x", "secret": {"env": None}}, ("secret",), "a secret stands as"),
        ({"name": "x", "secret": {"env": "A", "file": None}}, ("secret",), "a secret stands as"),
        ({"name": "x", "sceret": {}}, ("sceret",), "did you mean secret?"),
    ],
)
def test_each_misfit_has_its_place_and_its_reason(value: object, place: tuple[str | int, ...], text: str) -> None:
    (misfit,) = found(value)
    assert misfit.place == place
    assert text in misfit.text


def test_all_misfits_are_found_in_one_walk() -> None:
    value = {"nmae": "x", "one": {"size": 0, "mode": "fats"}, "many": [{"wait": "x"}, {"odd": 1}], "secret": "s"}
    assert len(found(value)) == 7


def test_it_is_the_key_that_is_wrong_when_a_key_is_unknown_or_missing() -> None:
    assert [each.at_key for each in found({"odd": 1})] == [True, True]
    assert [each.at_key for each in found({"name": 1})] == [False]


given_scalars = st.booleans() | st.integers(-1, 10) | st.sampled_from(["", "x", "fast", "15m", "too long"])
scalars = st.none() | given_scalars
inners = st.dictionaries(st.sampled_from(["size", "mode", "wait", "odd"]), scalars, max_size=3) | scalars
values = st.fixed_dictionaries(
    {},
    optional={
        "name": scalars,
        "one": inners,
        "many": st.lists(inners, max_size=2) | inners,
        "either": st.lists(inners, max_size=2) | inners,
        "by_name": st.dictionaries(st.sampled_from(["a", "b", "C"]), inners, max_size=2) | scalars,
        "secret": st.dictionaries(st.sampled_from(["env", "file"]), given_scalars, max_size=2) | scalars,
        "odd": scalars,
    },
)


@given(value=values)
def test_the_walk_finds_nothing_exactly_when_msgspec_takes_the_document(value: dict[str, object]) -> None:
    try:
        msgspec.convert(value, Outer, dec_hook=HOOK)
    except msgspec.ValidationError:
        assert found(value)
    else:
        assert found(value) == []
