"""A destroyed key is gone from its file before the file is gone, and the recording stays."""

import os
from pathlib import Path

import pytest

from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.places import key_path
from gateway.evidence.recording.reader import Playback
from gateway.evidence.recording.shred import destroy_key
from tests.evidence.recording.world import lay, private, segments


def test_nobody_opens_the_recording_any_more(tmp_path: Path) -> None:
    reader = private()
    front, parts = segments()
    path = lay(tmp_path, [front, *parts], reader)
    linked = tmp_path / "linked"
    os.link(key_path(path), linked)
    assert destroy_key(path)
    assert linked.read_bytes().strip(b"\0") == b""
    assert path.read_bytes() == front + b"".join(parts)
    with pytest.raises(RecordingError, match="shredded"):
        Playback(path, reader)
    assert not destroy_key(path)


def test_what_a_link_points_to_is_not_touched(tmp_path: Path) -> None:
    reader = private()
    path = lay(tmp_path, list(segments()[1]), reader)
    precious = tmp_path / "precious"
    precious.write_bytes(b"keep me")
    key_path(path).unlink()
    key_path(path).symlink_to(precious)
    with pytest.raises(OSError, match="symbolic"):
        destroy_key(path)
    assert precious.read_bytes() == b"keep me"
