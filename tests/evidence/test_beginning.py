"""Where a verification begins."""

from pathlib import Path

from gateway.evidence.beginning import begin
from gateway.evidence.pruned import Mark, write_mark
from gateway.evidence.reader import open_epochs
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, verify
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock


def test_it_begins_with_the_first_leaf(finished_log: Path) -> None:
    reader = open_epochs(finished_log)[0]
    beginning = begin(reader, reader.checkpoint, None)
    assert (beginning.edge.size, beginning.taken, beginning.pruned, beginning.found) == (0, 0, 0, ())


def test_it_begins_behind_what_was_verified(finished_log: Path, tmp_path: Path) -> None:
    reader, memory = open_epochs(finished_log)[0], Memory(tmp_path)
    verify(finished_log, TickClock(), options=Options(memory))
    known = memory.recall(reader.verifier.encode())
    assert known is not None
    beginning = begin(reader, reader.checkpoint, known)
    assert beginning.edge.size == beginning.taken == known.size
    assert [finding.name for finding in beginning.found] == ["verify.resumed"]


def test_a_note_that_no_leaf_bears_out_lets_it_begin_with_nothing(a_log: MakeLog) -> None:
    folder = a_log()
    for leaf in (3, 299, 10**9):
        write_mark(folder / "log/1", Mark(size=256, leaf=leaf, epoch=1))
        reader = open_epochs(folder)[0]
        beginning = begin(reader, reader.checkpoint, None)
        assert beginning.edge.size == 0
        assert [finding.name for finding in beginning.found] == ["prune.unrecorded"]
