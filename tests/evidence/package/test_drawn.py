"""The population beside the leaves, and a draw that nobody could choose and everybody can repeat."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.package.verifier.drawn import COLUMNS, DID, cell, draw, moment, rank, row_of
from gateway.evidence.package.verifier.story import Leaf


def rows(count: int) -> list[list[str]]:
    outcomes = ("allow", "deny", "mask")
    return [
        [
            "1",
            str(at),
            "t",
            f"d{at}",
            "s",
            "1",
            "a",
            "",
            "payments",
            "select",
            outcomes[at % 3],
            "pan" if at % 2 else "",
            "",
        ]
        for at in range(count)
    ]


@given(count=st.integers(0, 200), seed=st.text(), each=st.integers(1, 10))
def test_each_stratum_gives_so_many_or_all_it_has(count: int, seed: str, each: int) -> None:
    seed = seed.encode("utf-8", "replace").decode()
    found = draw(rows(count), seed, each)
    assert sum(drawn.size for drawn in found.values()) == count
    assert all(len(set(drawn.chosen)) == min(each, drawn.size) for drawn in found.values())


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(random: object) -> None:
    shuffled = rows(60)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert draw(shuffled, "seed", 4) == draw(rows(60), "seed", 4)


def test_those_with_the_lowest_rank_are_drawn() -> None:
    all_rows = rows(90)
    for stratum, drawn in draw(all_rows, "seed", 4).items():
        mine = [row for row in all_rows if (row[10], row[8], row[11]) == stratum]
        assert drawn.chosen == [row[DID] for row in sorted(mine, key=lambda row: rank("seed", row))[:4]]


def test_the_rank_is_what_the_page_says() -> None:
    row = rows(8)[7]
    wanted = hashlib.sha256(b"querywarden/sample/v1\nthe seed\n1\n7\nd7").hexdigest()
    assert rank("the seed", row) == wanted


def test_every_decision_is_drawn_about_as_often() -> None:
    drawn: Counter[str] = Counter()
    for seed in range(600):
        drawn.update(draw([[*row[:10], "allow", "", ""] for row in rows(30)], str(seed), 6).popitem()[1].chosen)
    assert min(drawn.values()) > 70
    assert max(drawn.values()) < 175


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain", "plain"), ("=1+1", "'=1+1"), ("@x", "'@x"), ("-1", "'-1"), ("a\r\nb", "a\\u000d\\u000ab"),
        ("\u202ex", "\\u202ex"), ("ä€", "ä€"), ("\ufeff=1", "\\ufeff=1"), ("\x85", "\\u0085"), ("\ud800", "\\ud800"),
    ],
)  # fmt: skip
def test_a_cell_moves_no_cursor_and_is_no_formula(said: str, shown: str) -> None:
    assert cell(said) == shown


@given(st.text())
def test_a_cell_never_breaks_a_line(said: str) -> None:
    assert len(cell(said).splitlines()) <= 1
    cell(said).encode()


def test_a_leaf_that_says_nothing_has_a_row_too() -> None:
    row = row_of(Leaf(1, 2, b"", {"t": "5"}), "pan")
    assert len(row) == len(COLUMNS)
    assert row[:3] == ["1", "2", "1970-01-01T00:00:00.000000005Z"]


def test_a_moment_is_written_to_the_nanosecond() -> None:
    assert moment(1_795_608_000_000_000_001) == "2026-11-25T12:00:00.000000001Z"
