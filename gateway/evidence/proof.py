"""A leaf's proof in one file: C2SP tlog-proof (`c2sp.org/tlog-proof@v1`), the leaf itself as its extra data.

    c2sp.org/tlog-proof@v1
    extra <base64 of the leaf>
    index <number of the leaf>
    <base64 of a sibling's hash, from the leaf up> …

    <the checkpoint, a signed note>

The checkpoint brings its cosignatures. Whoever has the file and the log's public key needs nothing else. The
specification does not authenticate the extra data; here the leaf is, because its hash is what the proof is about.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.evidence.cosign import Cosignature, WitnessKey, open_cosigned
from gateway.evidence.cosigned import best_cosigned
from gateway.evidence.explain import Story
from gateway.evidence.leaf import MAX_LEAF, Leaf, decode_leaf
from gateway.evidence.merkle import HASH_SIZE, inclusion_proof, leaf_hash, verify_inclusion
from gateway.evidence.note import Checkpoint, NoteError, Verifier, b64, open_checkpoint, unb64
from gateway.evidence.reader import LogReader
from gateway.evidence.tiles import nodes_of

HEADER: Final = "c2sp.org/tlog-proof@v1"
MAX_PROOF: Final = 1 << 20
_EXTRA, _INDEX = "extra ", "index "


class ProofError(ValueError):
    """The file proves nothing. The text says why."""


class Proven(NamedTuple):
    """What a proof that holds says."""

    leaf: Leaf
    number: int
    checkpoint: Checkpoint
    by: tuple[Cosignature, ...] = ()
    """of the witnesses whose keys were given"""
    others: int = 0
    """cosignatures of other keys: they say nothing"""


def format_proof(leaf: bytes, index: int, path: tuple[bytes, ...], note: bytes) -> bytes:
    """The file. `note` is the signed checkpoint, as it lies in the log."""
    lines = [HEADER, _EXTRA + b64(leaf), f"{_INDEX}{index}", *map(b64, path), "", ""]
    return "\n".join(lines).encode() + note


def write_proof(story: Story) -> bytes:
    """The file for a decision. Raises ProofError when it is not signed yet or does not stand in the tree."""
    proof = story.proof
    if not proof.signed:
        raise ProofError("the leaf is not signed yet: its checkpoint follows within the checkpoint interval")
    if not proof.holds:
        raise ProofError("the leaf does not stand in the tree that was signed")
    return format_proof(story.raw, story.decided.number, proof.path, story.note)


def write_cosigned_proof(story: Story, reader: LogReader, keys: Sequence[WitnessKey] | None) -> bytes | None:
    """The file under the checkpoint that the most witnesses cosigned; None when no such checkpoint has the leaf.

    With `keys` only cosignatures of these count. Raises ProofError, OSError and ValueError.
    """
    number = story.decided.number
    note = best_cosigned(reader.prefix, reader.verifier, number + 1, keys)
    if note is None:
        return None
    checkpoint = open_checkpoint(note, reader.verifier)
    path = tuple(inclusion_proof(nodes_of(checkpoint.size, reader.tile), number, checkpoint.size))
    if not verify_inclusion(leaf_hash(story.raw), number, checkpoint.size, path, checkpoint.root):
        raise ProofError("the leaf does not stand in the tree that was cosigned")
    return format_proof(story.raw, number, path, note)


def origin_of(data: bytes) -> str:
    """The log that a proof names: which key to look for. It says nothing before the proof is verified. ProofError."""
    return _split(data)[3].decode("utf-8", "replace").partition("\n")[0]


def note_of(data: bytes) -> bytes:
    """The checkpoint a proof brings, not verified. Raises ProofError."""
    return _split(data)[3]


def verify_proof(data: bytes, verifier: Verifier, witnesses: Sequence[WitnessKey] = ()) -> Proven:
    """Check signatures and path. Raises ProofError, also for a wrong cosignature of one of these witnesses."""
    leaf, index, path, note = _split(data)
    try:
        cosigned = open_cosigned(note, verifier, witnesses)
    except NoteError as error:
        raise ProofError(str(error)) from error
    checkpoint = cosigned.checkpoint
    if not verify_inclusion(leaf_hash(leaf), index, checkpoint.size, path, checkpoint.root):
        raise ProofError(f"the leaf is not number {index} of the tree that was signed")
    try:
        return Proven(decode_leaf(leaf), index, checkpoint, cosigned.by, cosigned.others)
    except ValueError as error:
        raise ProofError("what is proved is no leaf of a gateway") from error


def _split(data: bytes) -> tuple[bytes, int, list[bytes], bytes]:
    """Leaf, index, path, note."""
    head, blank, note = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ProofError("not a proof") from error
    if len(data) > MAX_PROOF or not blank or lines[0] != HEADER:
        raise ProofError("not a proof")
    if len(lines) < len(("header", "extra", "index")) or not lines[1].startswith(_EXTRA):
        raise ProofError("the proof does not bring its leaf")
    leaf, index, path = _unb64(lines[1].removeprefix(_EXTRA)), lines[2].removeprefix(_INDEX), [*map(_unb64, lines[3:])]
    if not (lines[2].startswith(_INDEX) and index.isdecimal() and str(int(index)) == index and len(leaf) <= MAX_LEAF):
        raise ProofError("not a proof")
    if any(len(sibling) != HASH_SIZE for sibling in path):
        raise ProofError("not a proof")
    return leaf, int(index), path, note


def _unb64(text: str) -> bytes:
    """Strict: one spelling for each value."""
    try:
        return unb64(text)
    except NoteError:
        raise ProofError("not base64") from None
