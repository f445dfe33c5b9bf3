"""Two proofs in a row: a leaf under a checkpoint of its log, and that checkpoint under the root log's own."""

from pathlib import Path
from typing import NamedTuple

from gateway.evidence.merkle import inclusion_proof
from gateway.evidence.note import Checkpoint, Verifier, open_checkpoint
from gateway.evidence.proof import ProofError, Proven, format_proof, note_of, verify_proof
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.root_log import Collected, collected
from gateway.evidence.tiles import nodes_of
from gateway.evidence.view import View


class Chain(NamedTuple):
    """Two files (C2SP tlog-proof)."""

    leaf: bytes
    root: bytes


class Held(NamedTuple):
    """What two proofs that hold and belong together say."""

    leaf: Proven
    root: Proven


def make_chain(root: Path, log: LogReader, index: int) -> Chain:
    """For leaf `index` of a log: under the first collected checkpoint that has it. Raises ProofError, OSError.

    ValueError for what is damaged.
    """
    origin = log.verifier.name
    of_it = (each for each in collected(root) if each.checkpoint.origin == origin)
    found = next((each for each in of_it if each.checkpoint.size > index), None)
    if found is None:
        raise ProofError("no checkpoint that has this leaf was collected yet")
    return Chain(_prove(log, index, found.checkpoint, found.note), _of_root(root, found))


def _of_root(root: Path, found: Collected) -> bytes:
    reader = next(reader for reader in open_epochs(root) if _has(reader, found))
    return _prove(reader, found.number, reader.checkpoint, reader.note)


def _has(reader: LogReader, found: Collected) -> bool:
    view = View(reader)
    return found.number < view.size and found.checkpoint.root.hex().encode() in view.leaf(found.number)


def _prove(reader: LogReader, index: int, checkpoint: Checkpoint, note: bytes) -> bytes:
    if index >= checkpoint.size:
        raise ProofError("the leaf is not signed yet")
    path = tuple(inclusion_proof(nodes_of(checkpoint.size, reader.tile), index, checkpoint.size))
    return format_proof(View(reader).leaf(index), index, path, note)


def check_chain(chain: Chain, root_key: Verifier) -> Held:
    """Verify both with nothing but the root log's key: the log's own key stands in the root's leaf. ProofError."""
    root = verify_proof(chain.root, root_key)
    facts = root.leaf.facts()
    try:
        verifier = Verifier.decode(str(facts.get("key", "")))
        note = note_of(chain.leaf)
        checkpoint = open_checkpoint(note, verifier)
    except ValueError as error:
        raise ProofError(str(error)) from error
    if (facts.get("origin"), facts.get("size"), facts.get("root")) != (
        checkpoint.origin, checkpoint.size, checkpoint.root.hex(),
    ):  # fmt: skip
        raise ProofError("the root log's leaf is of another checkpoint")
    return Held(verify_proof(chain.leaf, verifier), root)
