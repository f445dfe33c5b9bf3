"""The Merkle tree against RFC 6962: known roots, and properties of proofs."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import merkle

INPUTS = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""of the trees of the first 1 to 8 inputs, as certificate transparency's implementations have them in their tests"""

sizes = st.integers(min_value=1, max_value=300)


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(str(number).encode()) for number in range(size)]


def by_the_book(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, §2.1, as it is written there."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return hashlib.sha256(b"\x01" + by_the_book(hashes[:split]) + by_the_book(hashes[split:])).digest()


def nodes(hashes: list[bytes]) -> merkle.Node:
    return lambda level, index: by_the_book(hashes[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", range(1, 9))
def test_known_trees_have_their_known_roots(size: int) -> None:
    assert merkle.root_of([merkle.leaf_hash(data) for data in INPUTS[:size]]).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_hash_of_nothing_as_root() -> None:
    assert merkle.root_of([]) == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()


@given(sizes)
def test_pairing_level_by_level_gives_the_root_of_the_specification(size: int) -> None:
    assert merkle.root_of(leaves(size)) == by_the_book(leaves(size))


@given(st.data(), sizes)
def test_every_leaf_is_proved_where_it_stands_and_nowhere_else(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(nodes(hashes), index, size), by_the_book(hashes)
    assert merkle.verify_inclusion(hashes[index], index, size, proof, root)
    assert merkle.verify_inclusion(hashes[index], other, size, proof, root) == (other == index)
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)


@given(st.data(), sizes)
def test_a_changed_longer_or_shorter_inclusion_proof_proves_nothing(data: st.DataObject, size: int) -> None:
    hashes = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(nodes(hashes), index, size), by_the_book(hashes)
    assert not merkle.verify_inclusion(hashes[index], index, size, [*proof, bytes(32)], root)
    for at in range(len(proof)):
        assert not merkle.verify_inclusion(hashes[index], index, size, proof[:at] + proof[at + 1 :], root)
        wrong = [*proof[:at], bytes(32), *proof[at + 1 :]]
        assert not merkle.verify_inclusion(hashes[index], index, size, wrong, root)


@given(st.data(), sizes)
def test_a_beginning_of_a_tree_is_proved_to_be_one(data: st.DataObject, new: int) -> None:
    hashes = leaves(new)
    old = data.draw(st.integers(0, new))
    proof = merkle.consistency_proof(nodes(hashes), old, new)
    old_root, new_root = by_the_book(hashes[:old]), by_the_book(hashes)
    assert merkle.verify_consistency(old, old_root, new, new_root, proof)


@given(st.data(), st.integers(2, 300))
def test_a_changed_history_is_not_consistent(data: st.DataObject, new: int) -> None:
    hashes = leaves(new)
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    proof = merkle.consistency_proof(nodes(hashes), old, new)
    before = [*hashes[:changed], merkle.leaf_hash(b"another"), *hashes[changed + 1 : old]]
    assert not merkle.verify_consistency(old, by_the_book(before), new, by_the_book(hashes), proof)
    assert not merkle.verify_consistency(old, by_the_book(hashes[:old]), new, bytes(32), proof)
    assert not merkle.verify_consistency(old, by_the_book(hashes[:old]), new, by_the_book(hashes), [*proof, bytes(32)])
    assert not merkle.verify_consistency(old, by_the_book(hashes[:old]), new, by_the_book(hashes), proof[:-1])


def test_a_root_is_not_proved_to_be_a_leaf() -> None:
    root = by_the_book(leaves(5))
    assert not merkle.verify_inclusion(root, 0, 5, [], root)


def test_a_proof_of_what_is_not_in_the_tree_is_refused() -> None:
    for index, size in ((1, 1), (-1, 3), (0, 0)):
        with pytest.raises(ValueError, match="is not in a tree"):
            merkle.inclusion_proof(nodes([]), index, size)
        assert not merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))
    with pytest.raises(ValueError, match="no beginning"):
        merkle.consistency_proof(nodes([]), 2, 1)
    assert not merkle.verify_consistency(2, bytes(32), 1, bytes(32), [])


def test_the_empty_tree_is_a_beginning_of_every_tree_but_only_with_its_own_root() -> None:
    root = by_the_book(leaves(5))
    assert merkle.verify_consistency(0, merkle.EMPTY_ROOT, 5, root, [])
    assert not merkle.verify_consistency(0, bytes(32), 5, root, [])
    assert not merkle.verify_consistency(5, root, 5, root, [bytes(32)])
