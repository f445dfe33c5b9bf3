"""What must outlive a restart is written whole or not at all, and a file that cannot be read starts nothing."""

from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.policy.memory import FILE, Memory, Remembered
from tests.policy.test_stops import stop


def test_what_is_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path)
    assert memory.now == Remembered()
    memory.keep(active="a" * 64, sequence=7)
    memory.keep(stops=(stop("everything"),))
    assert Memory.open(tmp_path).now == Remembered(active="a" * 64, sequence=7, stops=(stop("everything"),))
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("content", [b"", b"{", b'{"more": 1}', b'{"sequence": "7"}'])
def test_a_file_that_cannot_be_read_is_no_empty_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(Unavailable, match=r"evidence\.unavailable"):
        Memory.open(tmp_path)


def test_what_cannot_be_written_is_not_remembered_either(tmp_path: Path) -> None:
    memory = Memory.open(tmp_path / "missing")
    with pytest.raises(Unavailable):
        memory.keep(sequence=1)
    assert memory.now == Remembered()
