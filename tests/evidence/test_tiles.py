"""Tiles: where they lie, that any growth gives the same ones, that proofs can be made from them alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import merkle
from gateway.evidence.tiles import (
    WIDTH,
    Edge,
    Tile,
    bundle_path,
    join_entries,
    nodes_of,
    split_entries,
    split_hashes,
    tile_path,
    tiles_of,
)

BIG = 70_000
HASHES = [merkle.leaf_hash(number.to_bytes(4)) for number in range(BIG)]
"""enough for a tile on the third level"""


@pytest.fixture(scope="module")
def laid_out() -> tuple[Edge, dict[Tile, bytes]]:
    """The tree of all hashes: its edge and every tile."""
    edge, tiles = Edge(), dict[Tile, bytes]()
    for hashed in HASHES:
        tiles.update(edge.append(hashed))
    tiles.update(edge.partial_tiles())
    return edge, tiles


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(1, 999, 5), "tile/1/999.p/5"),
        (Tile(3, 1000, 255), "tile/3/x001/000.p/255"),
    ],
)
def test_a_tile_lies_where_the_specification_says(tile: Tile, path: str) -> None:
    assert tile_path(tile) == path


def test_a_bundle_lies_among_the_entries() -> None:
    assert (bundle_path(1_234_067), bundle_path(0, 7)) == ("tile/entries/x001/x234/067", "tile/entries/000.p/7")


def test_the_edge_has_the_root_of_all_its_leaves(laid_out: tuple[Edge, dict[Tile, bytes]]) -> None:
    edge, _ = laid_out
    assert (edge.size, edge.root()) == (BIG, merkle.root_of(HASHES))


def test_exactly_the_tiles_of_the_tree_come_out(laid_out: tuple[Edge, dict[Tile, bytes]]) -> None:
    _, tiles = laid_out
    assert set(tiles) == set(tiles_of(BIG))
    assert all(len(data) == 32 * tile.width for tile, data in tiles.items())


@given(size=st.integers(1, BIG), data=st.data())
def test_proofs_made_from_tiles_hold(laid_out: tuple[Edge, dict[Tile, bytes]], size: int, data: st.DataObject) -> None:
    """At any size: a smaller tree's tiles are beginnings of the larger one's."""
    _, tiles = laid_out

    def read(tile: Tile) -> bytes:
        found = tiles.get(tile) or next(data for known, data in tiles.items() if known[:2] == tile[:2])
        return found[: 32 * tile.width]

    index, root = data.draw(st.integers(0, size - 1)), merkle.root_of(HASHES[:size])
    proof = merkle.inclusion_proof(nodes_of(size, read), index, size)
    assert merkle.verify_inclusion(HASHES[index], index, size, proof, root)
    old = data.draw(st.integers(0, size))
    path = merkle.consistency_proof(nodes_of(size, read), old, size)
    assert merkle.verify_consistency(old, merkle.root_of(HASHES[:old]), size, root, path)


@given(stops=st.lists(st.integers(0, 3 * WIDTH), max_size=6))
def test_a_tree_that_is_written_down_and_taken_up_again_is_the_same_tree(stops: list[int]) -> None:
    whole, size = Edge(), 3 * WIDTH + 5
    tiles = [made for hashed in HASHES[:size] for made in whole.append(hashed)]
    edge, again = Edge(), []
    for number, hashed in enumerate(HASHES[:size]):
        if number in stops:
            edge = Edge([list(level) for level in edge.levels])
        again += edge.append(hashed)
    assert (again, edge.root(), edge.levels, edge.size) == (tiles, whole.root(), whole.levels, whole.size)


@given(st.lists(st.binary(max_size=70)))
def test_entries_come_back_from_their_bundle(entries: list[bytes]) -> None:
    assert split_entries(join_entries(entries)) == entries


@given(st.lists(st.binary(min_size=1, max_size=70), min_size=1), st.data())
def test_a_cut_bundle_is_refused_or_a_beginning(entries: list[bytes], data: st.DataObject) -> None:
    whole = join_entries(entries)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        found = split_entries(cut)
    except ValueError:
        return
    assert found == entries[: len(found)]


def test_a_tile_of_half_a_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="33 bytes"):
        split_hashes(bytes(33))


def test_a_tile_that_holds_less_than_it_should_is_refused() -> None:
    with pytest.raises(ValueError, match="holds 2 hashes"):
        nodes_of(3, lambda _: bytes(64))(0, 0)


def test_a_node_that_is_not_complete_is_refused() -> None:
    with pytest.raises(ValueError, match="not complete"):
        nodes_of(3, lambda _: bytes(96))(2, 0)
