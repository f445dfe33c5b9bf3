"""Claims are read by their paths, and text that hides something is refused."""

import pytest

from gateway.core.errors import Unauthenticated
from gateway.core.principal import Delegator
from gateway.identity import claims


def test_a_claim_of_the_exact_name_comes_before_a_path() -> None:
    said = {"a.b": 1, "a": {"b": 2}, "c": {"d": {"e": 3}}}
    assert claims.claim(said, "a.b") == 1
    assert claims.claim(said, "c.d.e") == 3
    assert claims.claim(said, "c.d.e.f") is None
    assert claims.claim(said, "x") is None


@pytest.mark.parametrize("value", [-1, 2**53 + 1, "5", True, [5], float(2**60)])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Unauthenticated, match=r"token\.claims"):
        claims.number({"exp": value}, "exp")


def test_a_delegator_may_have_groups() -> None:
    said = {"act": {"sub": "alice", "groups": ["b", "a"], "act": {"sub": "earlier"}}}
    assert claims.delegator(said, "act") == Delegator(id="alice", groups=("a", "b"))
    assert claims.delegator({"act": "bob"}, "act") == Delegator(id="bob")
    assert claims.delegator({}, "act") is None


@pytest.mark.parametrize(
    "value", [{"a": 1}, [[1]], [None], "x" * 1025, 2**60, "a\tb", float(2**60), ["ok", "a\u2028b"], ["x"] * 1001]
)
def test_only_small_plain_claims_are_kept(value: object) -> None:
    with pytest.raises(Unauthenticated, match=r"token\.claims"):
        claims.kept({"tenant": value}, ("tenant",))


def test_only_listed_claims_are_kept() -> None:
    said = {"tenant": "eu", "flags": [True, 1, 2.5, "x"], "email": "a@b.test", "none": None}
    assert claims.kept(said, ("tenant", "flags", "none", "absent")) == {"tenant": "eu", "flags": [True, 1, 2.5, "x"]}


@pytest.mark.parametrize("name", ["agent-7", "Zoë", "日本", "a b", "spiffe://x/y", "auth0|123"])
def test_plain_names_of_any_script_are_taken(name: str) -> None:
    assert claims.is_plain_name(name)


@pytest.mark.parametrize(
    "name", ["", " a", "a ", "a\0", "a\u200bb", "\u202ea", "a\u00a0b", "\ud800", "\ue000", 7, None]
)
def test_names_that_hide_something_are_refused(name: object) -> None:
    assert not claims.is_plain_name(name)
