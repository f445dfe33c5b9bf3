"""Tests of the tables that the benchmarks write."""

import pytest

from bench.table import Row, markdown, number, ratio_row, share_row, targets


def test_a_cost_is_met_up_to_its_multiple_of_pgbouncer() -> None:
    assert ratio_row("CPU", 2.2, 22.0, 10.0, "µs").met is True
    assert ratio_row("CPU", 2.2, 22.1, 10.0, "µs").met is False


def test_a_cost_over_nothing_is_not_met() -> None:
    assert ratio_row("CPU", 2.2, 1.0, 0.0, "µs").met is False


def test_a_rate_is_met_from_its_share_of_pgbouncer() -> None:
    assert share_row("TPS", 0.7, 70.0, 100.0, "a second").met is True
    assert share_row("TPS", 0.7, 69.0, 100.0, "a second").met is False
    assert share_row("TPS", 0.7, 69.0, 0.0, "a second").met is False


def test_a_row_shows_both_figures_and_their_ratio() -> None:
    assert ratio_row("CPU", 2.2, 33.0, 16.5, "µs").measured == "2.00 × (33.0 to 16.5 µs)"


def test_a_target_that_was_not_measured_is_never_shown_as_met() -> None:
    assert "not measured" in targets([Row("two workers", "≥ 0.7", "one worker only", None)])
    assert "| **no** |" in targets([Row("CPU", "≤ 1", "2", met=False)])


def test_bars_in_cells_do_not_break_a_table() -> None:
    assert markdown(("a",), [("x|y",)]) == "| a |\n|---|\n| x\\|y |\n"


@pytest.mark.parametrize(("value", "text"), [(123456.7, "123,457"), (12.34, "12.3"), (1.234, "1.23"), (0.0, "0.00")])
def test_numbers_show_three_digits_that_matter(value: float, text: str) -> None:
    assert number(value) == text
