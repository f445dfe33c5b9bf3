"""The last signed head: it never goes back, and no torn write loses it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.head import EMPTY, Head, HeadError, SignedHead, epochs_with_head, head_file, read_head


def head(size: int, root: int = 1) -> Head:
    return Head(size, bytes([root]) * 32)


def test_a_head_is_there_after_it_was_noted(tmp_path: Path) -> None:
    path = tmp_path / "log-1.head"
    signed = SignedHead(path)
    assert signed.last == EMPTY
    for size in (1, 5, 6):
        signed.advance(head(size))
        assert read_head(path) == head(size)
    signed.close()
    assert SignedHead(path).last == head(6)


@pytest.mark.parametrize("wrong", [head(4), head(5, 2), EMPTY])
def test_a_smaller_or_another_tree_is_never_signed(tmp_path: Path, wrong: Head) -> None:
    signed = SignedHead(tmp_path / "log-1.head")
    signed.advance(head(5))
    with pytest.raises(HeadError):
        signed.advance(wrong)
    assert signed.last == head(5)
    signed.advance(head(5))


@given(at=st.integers(0, 511), value=st.binary(min_size=1, max_size=40))
def test_a_torn_write_spoils_the_older_head_only(
    tmp_path_factory: pytest.TempPathFactory, at: int, value: bytes
) -> None:
    path = tmp_path_factory.mktemp("torn") / "log-1.head"
    signed = SignedHead(path)
    for size in (1, 2, 3):
        signed.advance(head(size))
    slot_of_two = 512 if b"2 " in path.read_bytes()[512:514] else 0
    data = bytearray(path.read_bytes())
    piece = value[: 512 - at]
    data[slot_of_two + at : slot_of_two + at + len(piece)] = piece
    path.write_bytes(data)
    assert read_head(path) == head(3)


def test_the_next_head_overwrites_the_older_of_the_two_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "log-1.head"
    for size in range(1, 6):
        signed = SignedHead(path)
        signed.advance(head(size))
        signed.close()
    sizes = sorted(int(path.read_bytes()[at : at + 1]) for at in (0, 512))
    assert sizes == [4, 5]


def test_without_a_file_nothing_was_signed(tmp_path: Path) -> None:
    assert read_head(tmp_path / "none") == EMPTY


def test_epochs_of_which_something_was_signed_are_known(tmp_path: Path) -> None:
    for epoch, size in ((2, 3), (1, 4), (3, 0)):
        SignedHead(head_file(tmp_path, epoch)).advance(head(size) if size else EMPTY)
    (tmp_path / "log-x.head").write_bytes(b"")
    assert epochs_with_head(tmp_path) == [1, 2]
