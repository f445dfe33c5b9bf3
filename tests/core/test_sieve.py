"""The quick looks: what they leave out, and that they leave out nearly everything a log holds."""

import pytest

from gateway.core import sieve
from tests.support.card_forms import NUMBERS, TEXTS

LEAF = (
    b'{"act":"select","bundle":"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",'
    b'"data":{"bytes":120,"rows":1,"us":1200},"did":"0193e4a1-7c1f-7a3b-8e2d-0123456789ab","ok":true,"res":"payments",'
    b'"salt":"b64:n8bQgYhMfWWaL+qgxVrQFQ==","seq":3,"t":"1796879637816092345","type":"statement.finished","v":1}'
)


def test_a_leaf_of_the_log_is_left_out_by_every_look() -> None:
    looks = (sieve.digit_spans, sieve.wide_spans, sieve.script_spans, sieve.code_spans, sieve.escaped_spans)
    assert [look(LEAF) for look in looks] == [[]] * 5
    assert not sieve.hex_runs(LEAF)
    assert not sieve.base64_runs(LEAF)


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_no_form_of_a_number_is_clean_at_one_look(form: object) -> None:
    assert callable(form)
    assert not any(sieve.is_clean(form(number).encode()) for number in NUMBERS.values())


def test_ordinary_words_are_clean_at_one_look() -> None:
    assert sieve.is_clean(b'SELECT "id" , "name" FROM "public" . "cards" WHERE "id" = ? LIMIT ?')


def test_a_number_that_is_none_hides_none_that_stands_beside_it() -> None:
    assert sieve.digit_spans(b"1900000000001000000") == []
    assert sieve.digit_spans(b"1900000000001000000 4111111111111111")
    assert sieve.digit_spans(b"1900000000001000000,x,4111111111111111")
    assert sieve.digit_spans(b"4111-111111111112 1")


def test_spans_have_their_margin_and_are_joined() -> None:
    data = b"x" * 1000 + b"4111111111111111" + b"x" * 1000 + b"4111111111111111" + b"x" * 1000
    assert len(sieve.digit_spans(data)) == 2
    (start, end), _ = sieve.digit_spans(data)
    assert start <= 1000 - sieve.MARGIN + 64
    assert end >= 1016 + sieve.MARGIN
    assert len(sieve.digit_spans(data.replace(b"x" * 1000, b"x" * 100))) == 1
