"""What the readers hand on does not show what it holds."""

from gateway.sql.model import Begin, Effect, Execute, Say, Span
from tests.sql.payments import one


def test_values_and_texts_are_not_shown() -> None:
    assert repr(Say("purpose", "secret")) == "Say(purpose)"
    assert "secret" not in repr(one("SELECT 'secret'"))


def test_effects_compare_by_what_they_say() -> None:
    same: list[Effect] = [Begin(), Execute("a"), Say("purpose", "x"), None]
    assert same == [Begin(), Execute("a"), Say("purpose", "x"), None]
    assert Execute("a") != Execute("b")


def test_a_span_is_its_bounds() -> None:
    assert "SELECT"[slice(*Span(0, 3))] == "SEL"
