"""A result is a line; what came from outside cannot play tricks on a terminal."""

import pytest

from gateway.cli.doctor.result import Result, Status, in_words, of_error
from gateway.core.errors import Unavailable


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("upstream.unreachable", Status.UNREACHABLE),
        ("upstream.timeout", Status.UNREACHABLE),
        ("upstream.too_many", Status.UNREACHABLE),
        ("upstream.refused", Status.NO),
        ("upstream.tls", Status.NO),
        ("upstream.wrong_server", Status.NO),
        ("config.secret", Status.NO),
    ],
)
def test_only_an_absent_database_is_unreachable(code: str, status: Status) -> None:
    result = of_error("database", "payments", Unavailable(code, "why"))
    assert result.status is status
    assert result.text.endswith(": why")
    assert result.remedy


def test_results_stand_under_each_other_with_what_to_do() -> None:
    results = [
        Result(probe="disk", about="var", status=Status.FINE, text="room"),
        Result(probe="database", about="payments", status=Status.NO, text="refused", remedy="Look."),
    ]
    assert in_words(results).splitlines() == [
        "fine         disk      var: room",
        "no           database  payments: refused",
        "                       -> Look.",
        "1 fine, 1 no",
    ]


def test_control_characters_are_shown_and_not_obeyed() -> None:
    said = in_words([Result(probe="governed", about="x", status=Status.NOTE, text="\x1b[2J\u202egnp")])
    assert "\\x1b[2J\\u202egnp" in said
