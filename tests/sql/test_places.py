"""Where names stand: UTF-8 bytes, with everything that belongs to them."""
# ruff: noqa: S608 -- statements are the test data

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.places import Places
from tests.sql.payments import one

FORMS = (
    "cards", "public.cards", "public . cards", '"cards"', 'U&"c\\0061rds"', "U&\"c!0061rds\" UESCAPE '!'", "cards*",
    "cards *", "ONLY cards", "ONLY (public.cards)", "public/* . */./**/cards", "public.\n-- ж\ncards", "CARDS",
)  # fmt: skip


@given(
    st.sampled_from(FORMS), st.sampled_from(["", "'💳', ", "'ёж' AS \"ж\", ", "$ж$ cards $ж$, ", "E'\\'' /* 💳 */, "])
)
def test_a_reference_is_found_whole_behind_any_characters(form: str, before: str) -> None:
    text = f"SELECT {before}1 FROM {form} AS c WHERE true"
    understood = one(text)
    (reference,) = understood.references
    assert text.encode()[reference.name.start : reference.name.stop].decode() == form
    assert (reference.alias, reference.has_alias, reference.only) == ("c", True, form.startswith("ONLY"))


@pytest.mark.parametrize("clause", ["TABLESAMPLE SYSTEM (10)", "TABLESAMPLE bernoulli ((1 + 2)) REPEATABLE (f(1))"])
def test_a_sample_is_found_whole(clause: str) -> None:
    text = f"SELECT '💳' FROM cards c {clause} WHERE true"
    (reference,) = one(text).references
    assert reference.sample is not None
    assert text.encode()[reference.sample.start : reference.sample.stop].decode() == clause


def test_the_parts_of_a_dotted_name_have_their_own_places() -> None:
    text = 'SELECT public . "cards" /* . */ . U&"p!0061n" UESCAPE \'!\' FROM cards'
    found = Places(grammar.scan(text)).parts(7)
    assert [text[start:stop] for start, stop in found] == ["public", '"cards"', "U&\"p!0061n\" UESCAPE '!'"]


def test_a_place_between_tokens_is_refused() -> None:
    places = Places(grammar.scan("SELECT abc"))
    assert places.at(7) == 1
    for offset in (8, 99):
        with pytest.raises(Refused, match=r"statement\.unanalysable"):
            places.at(offset)
