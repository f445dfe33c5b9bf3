"""An epoch as a package takes it: spans, proofs and tiles, also of a log that was pruned or goes on."""

import asyncio
from pathlib import Path

import pytest

from gateway.evidence.note import open_checkpoint
from gateway.evidence.package.snapshot import Snapshot, kept_checkpoints
from gateway.evidence.proof import verify_proof
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from tests.evidence.package.world import write_log
from tests.evidence.world import NOW, TickClock, one_session


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("snapshot")
    write_log(folder)
    return folder


def snapshot_of(folder: Path) -> Snapshot:
    return Snapshot(open_epochs(folder)[-1])


def test_leaves_are_given_in_their_order_within_bounds(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    assert [leaf.at for leaf in snapshot.leaves(250, 520)] == list(range(250, 520))
    assert [leaf.at for leaf in snapshot.leaves(0, 0)] == []
    assert snapshot.raw(300) == next(snapshot.leaves(300, 301)).raw


def test_a_span_begins_and_ends_with_the_period(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    times = [leaf.time_ns for leaf in snapshot.leaves(0, snapshot.tree.size)]
    since, until = times[270], times[600]
    span = snapshot.span(since, until, snapshot.tree.size)
    assert (span.first, span.end) == (270, 600)
    assert snapshot.span(times[-1] + 1, 1 << 62, snapshot.tree.size)[2:] == (len(times), len(times))
    assert snapshot.span(0, 5, snapshot.tree.size)[2:] == (0, 0)


def test_proofs_hold_by_the_logs_own_reader(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    for at in (0, 255, 256, snapshot.tree.size - 1):
        assert verify_proof(snapshot.proof(at), snapshot.reader.verifier).number == at


def test_it_stays_what_it_was_while_the_log_goes_on(tmp_path: Path) -> None:
    clock = TickClock()
    write_log(tmp_path, sessions=6, clock=clock)
    snapshot = snapshot_of(tmp_path)
    size = snapshot.tree.size

    async def more() -> None:
        recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
        for _ in range(12):
            await one_session(recorder, clock, 12)
        await recorder.close()

    asyncio.run(more())
    assert open_epochs(tmp_path)[-1].checkpoint.size > 256 > size
    span = snapshot.span(0, 1 << 62, size)
    parts = {name: content() for name, content in snapshot.parts(span, []).items()}
    assert open_checkpoint(snapshot.note, snapshot.reader.verifier).size == size
    tile = parts[f"log/1/tile/0/000.p/{size}"]
    assert isinstance(tile, bytes)
    assert len(tile) == 32 * size
    assert verify_proof(snapshot.proof(7), snapshot.reader.verifier).checkpoint.size == size


def test_a_clock_that_was_set_back_does_not_hide_the_youngest_leaf(tmp_path: Path) -> None:
    clock = TickClock()
    write_log(tmp_path, sessions=3, clock=clock)
    latest = clock.now
    clock.now = NOW
    write_log(tmp_path, sessions=3, clock=clock)
    assert snapshot_of(tmp_path).last_ns() >= latest


def test_checkpoints_of_other_logs_are_passed_over(folder: Path) -> None:
    snapshot = snapshot_of(folder)
    parts = snapshot.parts(snapshot.span(0, 5, 9), [b"another log\n3\nAA==\n\n"])
    assert [name for name in parts if "earlier" in name] == []
    assert kept_checkpoints(folder, 1) == [snapshot.note]


@pytest.mark.parametrize("back", range(1, 8))
def test_a_clock_that_was_set_back_for_a_block_hides_nothing_before_it(tmp_path: Path, back: int) -> None:
    """Wherever that is: halving blocks would lead past what stands before."""
    clock = TickClock()

    async def write() -> None:
        recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
        for number in range(8 * 256):
            clock.now += (number == back * 256 - 40) * -(10**16) + (number == back * 256 + 40) * 10**16
            recorder.beat()
        await recorder.close()

    begun = clock.now
    asyncio.run(write())
    snapshot = snapshot_of(tmp_path)
    assert snapshot.span(begun, clock.now + 1, snapshot.tree.size) == (0, snapshot.blocks, 0, snapshot.tree.size)
