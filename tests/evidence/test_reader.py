"""Reading a log as it lies on disk: tiles, entries, bodies; partial files that have become full ones."""

import hashlib
from pathlib import Path

import pytest

from gateway.evidence.frames import Kind
from gateway.evidence.merkle import inclusion_proof, leaf_hash, verify_inclusion
from gateway.evidence.note import NoteError, Signer
from gateway.evidence.opening import open_log
from gateway.evidence.reader import LogReader, open_epochs
from gateway.evidence.tiles import Tile
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock


@pytest.fixture
def reader(finished_log: Path) -> LogReader:
    return open_epochs(finished_log)[0]


def test_any_leaf_is_proved_from_the_files_alone(reader: LogReader) -> None:
    checkpoint = reader.checkpoint
    for index in (0, 255, 256, checkpoint.size - 1):
        leaf = reader.entries(*reader.bundles()[index // 256])[index % 256]
        proof = inclusion_proof(reader.node(), index, checkpoint.size)
        assert verify_inclusion(leaf_hash(leaf), index, checkpoint.size, proof, checkpoint.root)


def test_a_partial_tile_that_is_gone_is_read_from_the_full_one(reader: LogReader) -> None:
    assert reader.tile(Tile(0, 0, 7)) == reader.tile(Tile(0, 0))[: 7 * 32]
    assert reader.entries(0, 7) == reader.entries(0)[:7]


def test_what_is_nowhere_is_said_with_the_name_of_the_full_file(reader: LogReader) -> None:
    with pytest.raises(FileNotFoundError, match=r"tile/0/999"):
        reader.tile(Tile(0, 999, 7))


def test_a_bundle_that_holds_too_little_is_refused(a_log: MakeLog) -> None:
    reader = open_epochs(a_log())[0]
    path = reader.prefix / "tile/entries/000"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r".*"):
        reader.entries(0)


def test_another_key_does_not_open_the_checkpoint(finished_log: Path) -> None:
    reader = open_epochs(finished_log, Signer("other.test", bytes(32)).verifier)[0]
    with pytest.raises(NoteError):
        assert reader.checkpoint


def test_a_given_key_is_for_the_newest_epoch(finished_log: Path) -> None:
    own = open_epochs(finished_log)[0].verifier
    assert open_epochs(finished_log, own)[0].checkpoint.size > 500


def test_a_body_that_is_not_laid_out_yet_is_read_from_the_write_ahead_log(tmp_path: Path) -> None:
    opened = open_log(tmp_path, TickClock())
    opened.log.wal.write(0, [(Kind.BODY, b"young"), (Kind.LEAF, b"{}")])
    reader = LogReader(tmp_path, 1)
    assert reader.body(hashlib.sha256(b"young").hexdigest()) == b"young"
    assert reader.body("0" * 64) is None
    assert reader.wal_leaves() == {0: b"{}"}


def test_a_folder_without_a_log_has_no_epochs(tmp_path: Path) -> None:
    assert open_epochs(tmp_path) == []


def test_the_next_epoch_must_name_the_larger_of_head_and_checkpoint(a_log: MakeLog) -> None:
    folder = a_log()
    size = open_epochs(folder)[0].checkpoint.size
    (folder / "keys/log-1.head").unlink()
    assert open_epochs(folder)[0].last_head().size == size
    (folder / "log/1/checkpoint").unlink()
    assert open_epochs(folder)[0].last_head().size == 0
    assert open_epochs(folder)[0].head_trouble() == "missing"
