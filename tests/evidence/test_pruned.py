"""The note beside a log of what was pruned."""

from pathlib import Path

import pytest

from gateway.evidence.pruned import Kept, Mark, decode_kept, encode_kept, read_mark, write_mark
from gateway.evidence.walk import Walk


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_mark(tmp_path) is None
    mark = Mark(size=512, leaf=900, epoch=1)
    write_mark(tmp_path, mark)
    assert read_mark(tmp_path) == mark


@pytest.mark.parametrize("text", ["", "{}", '{"size":5,"leaf":9,"epoch":1}', '{"size":0,"leaf":9,"epoch":1}', "[1]"])
def test_what_is_no_note_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "pruned").write_text(text, encoding="ascii")
    with pytest.raises(ValueError, match=r"."):
        read_mark(tmp_path)


def test_what_a_walk_knew_is_kept_whole() -> None:
    kept = Kept(size=256, walk=Walk("log").state(), previous=(7, "ab"))
    assert decode_kept(encode_kept(kept)) == kept
