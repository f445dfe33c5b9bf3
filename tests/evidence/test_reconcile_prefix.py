"""log_line_prefix as a pattern: every escape the server knows, and what cannot be done without."""
# ruff: noqa: E501 -- tables of statements and lines of logs

import pytest

from gateway.evidence.reconcile_prefix import Prefix
from gateway.evidence.reconcile_record import LogFormatError

SID = "qw/019ab9c0-0000-7000-8000-000000000001"
LINES = [
    ("%m [%p] %q%u@%d ", "2025-11-25 10:00:00.123 UTC [77] app@payments LOG:  x", {"pid": "77", "user": "app", "database": "payments"}),
    ("%t:%r:%u@%d:[%p]: ", "2025-11-25 10:00:00 CET:10.0.0.7(5000):app@payments:[77]: LOG:  x", {"remote": "10.0.0.7(5000)"}),
    ("%n %c %l %a|%u|%d ", f"1764064800.123 6925.4d 12 {SID}|app|payments LOG:  x", {"epoch": "1764064800.123", "session": "6925.4d", "application": SID}),
    ("%m %-8p %10u %d %h %b %e %i %s %v %x %Q %% ", "2025-11-25 10:00:00.123 UTC 77             app payments [local] client backend 00000 SELECT 2025-11-25 10:00:00 UTC 3/4 0 -12 % LOG:  x", {"pid": "77", "user": "app", "host": "[local]", "backend": "client backend"}),
    ("%m [%p] %u@%d %a ", r"2025-11-25 10:00:00.123 +05 [77] a b@payments \xe4\xb8 tool ERROR:  x", {"user": "a b", "application": r"\xe4\xb8 tool"}),
]  # fmt: skip


@pytest.mark.parametrize(("prefix", "line", "fields"), LINES)
def test_a_line_gives_what_its_prefix_names(prefix: str, line: str, fields: dict[str, str]) -> None:
    (reading,) = Prefix(prefix, "payments").read(line)
    assert fields.items() <= reading.fields.items()
    assert reading.text == "x"


def test_a_line_of_no_session_ends_at_q() -> None:
    (reading,) = Prefix("%m [%p] %q%u@%d ", "payments").read("2025-11-25 10:00:00.123 UTC [77] LOG:  checkpoint")
    assert reading.fields == {"time": "2025-11-25 10:00:00.123 UTC", "pid": "77"}


@pytest.mark.parametrize(
    "line", ["", "LOG:  x", "2025-11-25 10:00:00.123 UTC [77] app@payments", "\tSELECT LOG:  x", "x" * 5000]
)
def test_what_does_not_begin_so_is_no_line(line: str) -> None:
    assert Prefix("%m [%p] %u@%d ", "payments").read(line) == []


@pytest.mark.parametrize("prefix", ["", "%u@%d ", "%m %u ", "%p %u ", "%m %p %z ", "%m %m %p"])
def test_a_prefix_that_places_no_line_is_refused(prefix: str) -> None:
    with pytest.raises(LogFormatError):
        Prefix(prefix, "payments")


def test_the_database_that_is_asked_about_is_found_wherever_it_can_be() -> None:
    line = "2025-11-25 10:00:00.123 UTC [77] x@other@payments LOG:  statement: SELECT 1"
    (reading,) = Prefix("%m [%p] %a@%d ", "payments").read(line)
    assert (reading.fields["application"], reading.fields["database"]) == ("x@other", "payments")
