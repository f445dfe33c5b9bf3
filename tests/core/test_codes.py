"""The registry's own form; that codes are used and documented is tested in tests/shape."""

import re

from gateway.core.codes import CODES

NAMED_BY_THE_CONTRACT = {"second_reader_unread"}
"""A hazard whose name policies rely on; it has no dot."""


def test_codes_are_dotted_lower_case_words() -> None:
    assert [
        code for code in CODES.keys() - NAMED_BY_THE_CONTRACT if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", code)
    ] == []


def test_no_message_can_break_a_table_of_the_reference() -> None:
    assert [code for code, entry in CODES.items() if "|" in entry.message + entry.remedy] == []


def test_denials_use_the_numbers_every_protocol_expects() -> None:
    denied = CODES["policy.denied"]
    assert (denied.sqlstate, denied.mysql, denied.http) == ("42501", 1142, 403)
