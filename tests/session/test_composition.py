"""The text that is sent: each plan in its statement's place, everything else as it was, positions mapped back."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.site import Posture
from gateway.session.composition import NOWHERE, compose
from gateway.session.ruling import Leg, Ruling, rule
from gateway.sql.understand import Scope, understand
from tests.session import fakes


def rulings(text: str) -> list[Ruling]:
    scope = Scope(search_path=("public",), posture=Posture())
    found = understand(text, fakes.EMPTY, scope)
    return [rule(Leg(one, f"did-{n}", b""), fakes.verdict(), fakes.GROUND) for n, one in enumerate(found)]


MARK = "/* querywarden:did-0 */ "


def test_every_text_is_marked_with_the_decision_of_its_first_statement() -> None:
    for text in (
        "SELECT 1",
        "BEGIN",
        "FETCH c",
        "SELECT 1; SELECT 2",
        " ;; COMMIT",
        "/* querywarden:did-9 */ SELECT 1",
    ):
        assert compose(text, rulings(text))[0] == MARK + text


def test_a_text_without_statements_is_sent_as_it_is() -> None:
    assert compose("-- nothing", []) == ("-- nothing", NOWHERE)


@given(
    st.lists(st.sampled_from(["SELECT 1", "SELECT 'ü😀'", "SELECT\n2"]), min_size=1, max_size=4),
    st.sampled_from([";", " ;\n ", "; /* ü */ ", ";;"]),
)
def test_what_stands_between_and_around_statements_stays(parts: list[str], between: str) -> None:
    text = between.join(parts)
    assert compose(text, rulings(text))[0] == MARK + text


@given(st.lists(st.sampled_from(["SELECT 1", "SELECT 'ü😀'"]), min_size=1, max_size=3))
def test_positions_lead_to_the_same_character(parts: list[str]) -> None:
    text = ";  ".join(parts)
    sent, positions = compose(text, rulings(text))
    for at, character in enumerate(sent, 1):
        original = positions.original(at)
        if original is not None and original <= len(text):
            assert text[original - 1] == character


def test_a_position_in_the_mark_is_nowhere() -> None:
    _, positions = compose("SELECT 1", rulings("SELECT 1"))
    assert positions.original(3) is None


def test_a_refused_statement_cannot_be_composed() -> None:
    (ruling,) = rulings("SELECT 1")
    refused = Ruling("d", ruling.understood, ruling.verdict, ruling.ground)
    with pytest.raises(TypeError):
        compose("SELECT 1", [refused])


def test_a_plan_of_another_length_moves_what_follows() -> None:
    text = "SELECT 1; SELECT 2"
    first, second = rulings(text)
    assert first.plan is not None
    longer = msgspec.structs.replace(first.plan, text="SELECT (1)", source="SELECT 1")
    sent, positions = compose(text, [Ruling("d", first.understood, first.verdict, first.ground, plan=longer), second])
    assert sent.endswith("SELECT (1); SELECT 2")
    assert positions.original(len(sent)) == len(text)
