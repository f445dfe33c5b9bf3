"""Times as a server writes them, in any zone it may have, become nanoseconds since the epoch."""

import pytest

from gateway.evidence.reconcile_record import LogFormatError, Record, Times
from tests.evidence.server_log import START_NS

HOUR = 3600 * 1_000_000_000


@pytest.mark.parametrize(
    ("zone", "text", "hours"),
    [
        ("", "2025-11-25 10:00:00 UTC", 0),
        ("", "2025-11-25 10:00:00.000 GMT", 0),
        ("", "2025-11-25 12:00:00 +02", 0),
        ("", "2025-11-25 06:30:00 -0330", 0),
        ("", "2025-11-25 11:00:00 CET", 0),
        ("Europe/Berlin", "2025-07-25 12:00:00 CEST", -123 * 24),
        ("America/New_York", "2025-11-25 05:00:00 EST", 0),
        ("", "2025-11-25 09:00:00 UTC", -1),
    ],
)
def test_a_time_is_read_in_its_zone(zone: str, text: str, hours: int) -> None:
    assert Times(zone)(text) == START_NS + hours * HOUR


def test_fractions_count() -> None:
    assert Times()("2025-11-25 10:00:00.123 UTC") == START_NS + 123_000_000
    assert Times()("2025-11-25 10:00:00.123456 UTC") == START_NS + 123_456_000


@pytest.mark.parametrize("text", ["", "yesterday", "2025-13-25 10:00:00 UTC", "2025-11-25 10:00:00 XYZT"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(LogFormatError):
        Times()(text)


def test_a_zone_nobody_knows_is_refused() -> None:
    with pytest.raises(LogFormatError):
        Times("Nowhere/At_All")


def test_a_record_does_not_show_its_text() -> None:
    record = Record(1, "p", "u", "d", "a", "h", "b", "statement: SELECT '4111111111111111'")
    assert "4111" not in repr(record)
