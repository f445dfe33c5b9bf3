"""The Merkle tree of RFC 6962, §2.1: hashes, inclusion proofs, consistency proofs, and their verification.

A leaf's hash is SHA-256(0x00 ‖ leaf), a node's SHA-256(0x01 ‖ left ‖ right); a tree of n > 1 leaves is split at the
largest power of two below n. A *node* here is named by (level, index): the root of the complete subtree of 2**level
leaves that starts at leaf index * 2**level. Proofs are made from a function that gives nodes, wherever they are kept.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""root of the tree without leaves"""

Node = Callable[[int, int], bytes]
"""(level, index) → hash of that complete subtree"""


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of the node above two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over hashes that all stand on one level; the last may stand for an incomplete subtree.

    Pairing neighbours level by level and carrying an odd last one up gives the split of the specification.
    """
    if not hashes:
        return EMPTY_ROOT
    sha256 = hashlib.sha256
    row = list(hashes)
    while len(row) > 1:
        above = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        if len(row) % 2:
            above.append(row[-1])
        row = above
    return row[0]


def range_root(node: Node, start: int, end: int) -> bytes:
    """Root over the leaves `start` to `end` (exclusive); `start` is a multiple of the power of two that covers them."""
    count = end - start
    if count == 0:
        return EMPTY_ROOT
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    split = start + _split(count)
    return node_hash(range_root(node, start, split), range_root(node, split, end))


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_proof(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, D[size]) of §2.1.1: from the leaf's sibling to the root's child. ValueError for no such leaf."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    path = []
    start, end = 0, size
    while end - start > 1:
        split = start + _split(end - start)
        if index < split:
            path.append(range_root(node, split, end))
            end = split
        else:
            path.append(range_root(node, start, split))
            start = split
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `leaf` (its hash) stands at `index` in the tree of `size` with `root` (RFC 9162, §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = node_hash(sibling, current)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        at >>= 1
        last >>= 1
    return last == 0 and current == root


def consistency_proof(node: Node, old: int, new: int) -> list[bytes]:
    """PROOF(old, D[new]) of §2.1.2. Empty when `old` is 0 or equal to `new`. Raises ValueError when `old` > `new`."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is no beginning of one of {new}")
    if old in {0, new}:
        return []
    path = []
    start, end, whole = 0, new, True
    while old != end - start:
        split = _split(end - start)
        if old <= split:
            path.append(range_root(node, start + split, end))
            end = start + split
        else:
            path.append(range_root(node, start, start + split))
            start, old, whole = start + split, old - split, False
    if not whole:
        path.append(range_root(node, start, end))
    return path[::-1]


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `old` leaves is a beginning of the tree of `new` (RFC 9162, §2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and old_root == (new_root if old else EMPTY_ROOT)
    path = [*([old_root] if old & (old - 1) == 0 else []), *proof]
    return bool(path) and _fold(old, new, path) == (old_root, new_root)


def _fold(old: int, new: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency path leads to; None when it is too long or too short."""
    at, last = old - 1, new - 1
    while at & 1:
        at >>= 1
        last >>= 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if at & 1 or at == last:
            first = node_hash(sibling, first)
            second = node_hash(sibling, second)
            while not at & 1 and at:
                at >>= 1
                last >>= 1
        else:
            second = node_hash(second, sibling)
        at >>= 1
        last >>= 1
    return (first, second) if last == 0 else None
