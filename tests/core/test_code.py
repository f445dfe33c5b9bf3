"""A code says the same to three kinds of caller."""

from gateway.core.code import DENIED, UNAVAILABLE, Code


def test_a_code_has_a_number_for_each_protocol_and_words_for_people() -> None:
    code = Code(*DENIED, "it is not allowed", "Ask.")
    assert (code.sqlstate, code.mysql, code.http, code.message, code.remedy) == (
        "42501", 1142, 403, "it is not allowed", "Ask.",
    )  # fmt: skip
    assert UNAVAILABLE[2] == 503
