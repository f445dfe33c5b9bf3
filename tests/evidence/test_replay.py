"""What a start finds in the write-ahead log, torn at any byte, changed at any byte, or put back from a copy."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.evidence.frames import MAGIC, Kind, read_frames
from gateway.evidence.head import EMPTY, Head
from gateway.evidence.ledger import Ledger
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.replay import BrokenLog, cut, replay
from gateway.evidence.tree import Tree
from gateway.evidence.wal import SEGMENT_LEAVES, Wal, segments


def a_leaf(number: int) -> bytes:
    return f'{{"ok":true,"seq":{number + 1},"type":"heartbeat"}}'.encode()


def write(folder: Path, count: int) -> None:
    tree, ledger = Tree(), Ledger()
    wal = Wal(folder, lambda: tree.start(ledger.state()))
    for number in range(count):
        wal.write(number, [(Kind.BODY, b"body %d" % number), (Kind.LEAF, a_leaf(number))])
        tree.add(a_leaf(number), [])
    wal.close()


def head(size: int) -> Head:
    return Head(size, root_of([leaf_hash(a_leaf(number)) for number in range(size)]))


def test_a_whole_log_comes_back(tmp_path: Path) -> None:
    write(tmp_path, 20)
    found = replay(tmp_path, head(7))
    assert found.tree.head() == head(20)
    assert (found.torn, found.cuts, found.segment) == (0, (), segments(tmp_path)[0])
    assert found.ledger.next_number("") == 21


def test_an_empty_folder_is_a_new_log(tmp_path: Path) -> None:
    found = replay(tmp_path, EMPTY)
    assert (found.tree.size, found.segment) == (0, None)


def test_torn_at_any_byte_every_leaf_before_it_is_there(tmp_path: Path) -> None:
    write(tmp_path, 4)
    path = segments(tmp_path)[0]
    whole = path.read_bytes()
    ends = [frame.end for frame in read_frames(whole) if frame.kind is Kind.LEAF]
    for at in range(len(whole)):
        path.write_bytes(whole[:at])
        found = replay(tmp_path, EMPTY)
        good = sum(end <= at for end in ends)
        assert found.tree.head() == (head(good) if good else EMPTY)
        assert found.torn in {at - end for end in (0, *ends, found.offset)}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(len(MAGIC), 10_000), value=st.integers(1, 255))
def test_a_changed_byte_below_what_was_signed_breaks_the_log(tmp_path: Path, at: int, value: int) -> None:
    for path in segments(tmp_path):
        path.unlink()
    write(tmp_path, 6)
    path = segments(tmp_path)[0]
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= value
    path.write_bytes(data)
    with pytest.raises(BrokenLog, match="6 leaves were signed"):
        replay(tmp_path, head(6))


def test_a_log_put_back_from_a_copy_does_not_reach_what_was_signed(tmp_path: Path) -> None:
    write(tmp_path, 5)
    assert replay(tmp_path, head(5)).tree.size == 5
    with pytest.raises(BrokenLog, match="the log has 5 good ones"):
        replay(tmp_path, head(6))


def test_another_history_of_the_same_length_is_not_gone_on_with(tmp_path: Path) -> None:
    write(tmp_path, 5)
    with pytest.raises(BrokenLog):
        replay(tmp_path, Head(5, bytes(32)))


def test_a_log_can_be_opened_from_a_later_segment(tmp_path: Path) -> None:
    write(tmp_path, SEGMENT_LEAVES + 3)
    first, second = segments(tmp_path)
    whole = replay(tmp_path, EMPTY).tree.head()
    first.unlink()
    found = replay(tmp_path, whole)
    assert (found.tree.head(), found.segment) == (whole, second)
    with pytest.raises(BrokenLog):
        replay(tmp_path, head(10))


def test_what_stands_behind_a_damaged_segment_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, SEGMENT_LEAVES + 3)
    first, second = segments(tmp_path)
    data = bytearray(first.read_bytes())
    data[-3] ^= 1
    first.write_bytes(data)
    found = replay(tmp_path, head(100))
    assert found.tree.size == SEGMENT_LEAVES - 1
    assert [path for path, _ in found.cuts] == [first, second]
    assert found.cuts[1][1] == 0


def test_what_is_cut_off_is_kept_beside_the_segment(tmp_path: Path) -> None:
    write(tmp_path, 3)
    path = segments(tmp_path)[0]
    good = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"torn off")
    other = tmp_path / f"{256:020d}.wal"
    other.write_bytes(b"no segment")
    found = replay(tmp_path, head(3))
    assert found.torn == len(b"torn off") + len(b"no segment")
    cut(found.cuts)
    assert path.stat().st_size == good
    assert not other.exists()
    assert {p.read_bytes() for p in tmp_path.glob("*.torn")} == {b"torn off", b"no segment"}
    assert replay(tmp_path, head(3)).torn == 0
