"""Where something stands in a stream, however the stream is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.disguised import Kind
from gateway.evidence.scan_bytes import CHUNK, OVERLAP, Place, places

VISA = b"4111111111111111"


@pytest.mark.parametrize("shift", [-16, -8, -1, 0, 1])
@pytest.mark.parametrize("edge", [CHUNK - 2 * OVERLAP, CHUNK - OVERLAP, CHUNK])
def test_a_number_at_the_edge_of_a_chunk_is_found_once(edge: int, shift: int) -> None:
    at = edge + shift
    data = b"x" * at + VISA + b"y" * CHUNK
    cut = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]
    assert list(places(cut)) == [Place(at, 16, Kind.PLAIN)]


@given(cuts=st.lists(st.integers(0, 3000), max_size=8), at=st.lists(st.integers(0, 2000), min_size=1, max_size=4))
def test_however_a_stream_is_cut_the_same_places_are_found(cuts: list[int], at: list[int]) -> None:
    data = b"".join(b"." * 40 + b"x" * gap + b"4111 1111 1111 1111" + b"x" for gap in at)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    parts = [data[start:end] for start, end in pairwise(bounds)]
    assert list(places(parts)) == list(places([data]))
    assert len(list(places(parts))) == len(at)


def test_nothing_is_found_in_nothing() -> None:
    assert list(places([])) == list(places([b""])) == []
