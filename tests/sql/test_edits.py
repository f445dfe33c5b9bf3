"""Edits replace their spans and nothing else, and positions find their way back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Refused
from gateway.sql.edits import Edit, apply, original_position


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """A text and edits of it that do not overlap, at character bounds."""
    words = draw(st.lists(st.text("ab💳ж ", min_size=1, max_size=4), min_size=1, max_size=8))
    changed = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    at, edits = 0, []
    for word, change in zip(words, changed, strict=True):
        size = len(word.encode())
        if change:
            edits.append(Edit(at, at + size, draw(st.text("xy💳", max_size=5))))
        at += size
    return "".join(words), draw(st.permutations(edits))


@given(edited())
def test_kept_bytes_are_the_source_and_made_bytes_the_edits(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    raw, found = text.encode(), apply(text.encode(), edits)
    new = found.text.encode()
    made = [new[s.start : s.stop].decode() for s in found.segments if s.made]
    assert made == [edit.text for edit in sorted(edits) if edit.text]
    for segment in found.segments:
        if not segment.made:
            assert (
                new[segment.start : segment.stop] == raw[segment.source : segment.source + segment.stop - segment.start]
            )


@given(edited())
def test_a_position_the_agent_wrote_is_found_again(case: tuple[str, list[Edit]]) -> None:
    text, edits = case
    found = apply(text.encode(), edits)
    for position in range(1, len(found.text) + 2):
        original = original_position(found, text, position)
        assert original is not None
        assert 1 <= original <= len(text) + 1
        offset = len(found.text[: position - 1].encode())
        if found.origin(offset) is not None:
            assert found.text[position - 1] == text[original - 1]
    assert original_position(found, text, 0) is None
    assert original_position(found, text, len(found.text) + 2) is None


def test_insertions_at_one_place_keep_their_order() -> None:
    assert apply(b"ab", [Edit(1, 1, "1"), Edit(1, 1, "2")]).text == "a12b"


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(Refused, match=r"statement\.cannot_rewrite"):
        apply(b"abc", [Edit(0, 2, ""), Edit(1, 3, "")])
