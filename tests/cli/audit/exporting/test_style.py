"""Pages stand alone: nothing is fetched, nothing from outside does anything."""

import re

import pytest

from gateway.cli.audit.exporting.style import PAGES, chip, code, page, table, text, tiles

HOSTILE = '<img src=x onerror="alert(1)">\u202e\x1b'


@pytest.mark.parametrize("made", [text, code, lambda said: chip(said, "good", "●"), lambda said: tiles([(1, said)])])
def test_what_comes_from_outside_is_escaped(made: object) -> None:
    assert callable(made)
    said = made(HOSTILE)
    assert "<img" not in said
    assert "\u202e" not in said
    assert "\x1b" not in said


def test_a_page_fetches_nothing_and_names_its_style_by_hash() -> None:
    made = page("index.html", HOSTILE, "about", "<p>body</p>").decode()
    assert re.search(r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='", made)
    assert "<img" not in made
    assert not re.search(r"(src|href)=\"?https?:", made)
    assert [f'href="{name}"' in made for name in PAGES] == [False, True, True, True]


def test_light_dark_and_paper_are_thought_of() -> None:
    made = page("daily.html", "t", "a", "b").decode()
    assert "light-dark(" in made
    assert "@media print" in made


def test_numbers_align_and_an_empty_table_says_so() -> None:
    assert "<td class=n>1" in table(("a", "b"), [("x", "1")], [1])
    assert "None in this period" in table(("a",), [])
