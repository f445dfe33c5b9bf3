"""The plan maps error positions back, and never shows a text."""

from gateway.sql.plan import Plan
from tests.sql.payments import plan


def test_positions_of_an_unchanged_text_stay() -> None:
    same = Plan(text="SELECT x", source="SELECT x")
    assert [same.original_position(n) for n in (0, 1, 8, 9, 10)] == [None, 1, 8, 9, None]


def test_a_position_behind_a_sub_select_is_that_of_the_agents_text() -> None:
    source = "SELECT pan FROM cards WHERE nosuch = 1"
    found = plan(source)
    assert found.original_position(found.text.index("nosuch") + 1) == source.index("nosuch") + 1


def test_what_the_gateway_wrote_stands_for_the_name_it_replaced() -> None:
    source = "SELECT pan FROM cards"
    found = plan(source)
    assert found.original_position(found.text.index("octet_length") + 1) == source.index("cards") + 1


def test_a_plan_does_not_show_its_texts() -> None:
    assert "secret" not in repr(plan("SELECT pan FROM cards WHERE pan = 'secret'"))
