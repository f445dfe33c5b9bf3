"""The Merkle tree of RFC 6962, its proofs as RFC 9162 verifies them, its tiles as C2SP tlog-tiles names them."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from gateway.evidence.package.verifier.findings import Broken, need, unbase64
from gateway.evidence.package.verifier.signed import HASH, Checkpoint

WIDTH = 256
PROOF = "c2sp.org/tlog-proof@v1"


def leaf_hash(leaf: bytes) -> bytes:
    """Of one leaf."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Above two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(row: list[bytes]) -> bytes:
    """Over hashes of one level; the last may stand for an incomplete subtree."""
    while len(row) > 1:
        row = [node(row[i], row[i + 1]) if i + 1 < len(row) else row[i] for i in range(0, len(row), 2)]
    return row[0] if row else hashlib.sha256(b"").digest()


def included(leaf: bytes, index: int, tree: Checkpoint, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.3.2."""
    if not 0 <= index < tree.size:
        return False
    at, last, current = index, tree.size - 1, leaf_hash(leaf)
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            current = node(sibling, current)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            current = node(current, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and current == tree.root


def consistent(old: Checkpoint, new: Checkpoint, path: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2: the old tree is a beginning of the new one."""
    if not 0 < old.size < new.size:
        return old.size == new.size and old.root == new.root and not path
    path = [old.root, *path] if old.size & (old.size - 1) == 0 else path
    if not path:
        return False
    at, last = old.size - 1, new.size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(sibling, first), node(sibling, second)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and (first, second) == (old.root, new.root)


def tile_name(level: str, number: int, width: int = WIDTH) -> str:
    """`tile/<level>/x001/234`, `.p/<width>` behind it when it is not full."""
    digits = [f"{number % 1000:03d}"]
    while number >= 1000:  # noqa: PLR2004 -- three digits an element
        number //= 1000
        digits.append(f"x{number % 1000:03d}")
    return f"tile/{level}/" + "/".join(reversed(digits)) + ("" if width == WIDTH else f".p/{width}")


def split_entries(raw: bytes, width: int, where: str) -> list[bytes]:
    """The leaves of an entry bundle, each behind its length. Raises Broken."""
    entries, at = [], 0
    while at < len(raw):
        start = at + 2
        at = start + int.from_bytes(raw[at:start], "big")
        entries.append(raw[start:at])
    need(
        at == len(raw) and len(entries) == width, "entries.unreadable", where, f"it does not hold {width} whole leaves"
    )
    return entries


class Proof(NamedTuple):
    """A file of C2SP tlog-proof, read."""

    leaf: bytes
    at: int
    path: list[bytes]
    note: bytes


def proof_of(raw: bytes, where: str) -> Proof:
    """Read one. Raises Broken."""
    head, _, note = raw.partition(b"\n\n")
    bad = "proof.invalid"
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise Broken(bad, where, "not a proof") from None
    whole = len(lines) > 2 and lines[0] == PROOF and lines[1].startswith("extra ") and lines[2].startswith("index ")  # noqa: PLR2004
    need(whole, bad, where, "not a proof with its leaf")
    index = lines[2][6:]
    need(index.isascii() and index.isdigit() and str(int(index)) == index, bad, where, "it does not say which leaf")
    path = [unbase64(line, where, bad) for line in lines[3:]]
    need(all(len(sibling) == HASH for sibling in path), bad, where, "its path is no path")
    return Proof(unbase64(lines[1][6:], where, bad), int(index), path, note)
