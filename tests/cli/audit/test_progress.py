"""A bar is shown on a terminal, after two seconds, and taken away again."""

import io

from gateway.cli.audit.progress import Bar
from tests.identity.world import StillClock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, seconds: list[float]) -> str:
    clock = StillClock()
    bar = Bar(stream, clock, "leaves")
    for step in seconds:
        clock.forward(step)
        bar(500, 1000)
    bar.clear()
    return stream.getvalue()


def test_short_work_shows_nothing() -> None:
    assert shown(Terminal(), [0.5, 1.0]) == ""


def test_long_work_shows_how_far_it_is_and_clears_the_line() -> None:
    text = shown(Terminal(), [2.5])
    assert f"[{'#' * 20}{'.' * 20}] 500 of 1,000 leaves" in text
    assert text.endswith("\r\x1b[K")


def test_it_is_not_drawn_more_often_than_ten_times_a_second() -> None:
    assert shown(Terminal(), [2.5, 0.01, 0.01, 0.2]).count("leaves") == 2


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    assert shown(io.StringIO(), [5]) == ""
