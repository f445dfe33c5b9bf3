"""A recording goes when the leaves that seal it are gone, and not before."""

import os
from pathlib import Path

from gateway.core.ids import new_id
from gateway.evidence.recording.aging import SLACK_NS, remove_older
from gateway.evidence.recording.places import key_path, recording_path, recordings
from tests.evidence.world import TickClock

DAY = 86_400 * 10**9


def lay(folder: Path, begun_ns: int, ended_ns: int) -> str:
    sid = new_id(TickClock(begun_ns))
    path = recording_path(folder, sid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"recording")
    key_path(path).write_bytes(b"key")
    os.utime(path, ns=(ended_ns, ended_ns))
    return sid


def test_only_what_ended_before_goes_with_its_key_and_its_empty_day(tmp_path: Path) -> None:
    until = 1_900_000_000 * 10**9
    old = lay(tmp_path, until - 9 * DAY, until - 9 * DAY)
    long = lay(tmp_path, until - 9 * DAY, until + DAY)
    edge = lay(tmp_path, until - 2 * DAY, until - SLACK_NS // 2)
    young = lay(tmp_path, until + DAY, until + DAY)
    assert remove_older(tmp_path, until) == 1
    assert {sid for sid, _ in recordings(tmp_path)} == {long, edge, young}
    assert not key_path(recording_path(tmp_path, old)).exists()
    assert remove_older(tmp_path, until + 9 * DAY) == 3
    assert list((tmp_path / "recordings").iterdir()) == []


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    stray = tmp_path / "recordings" / "2026-01-01" / "notes.gwr"
    stray.parent.mkdir(parents=True)
    stray.touch()
    os.utime(stray, ns=(0, 0))
    assert remove_older(tmp_path, 1 << 62) == 0
    assert remove_older(tmp_path / "none", 1 << 62) == 0
    assert stray.exists()
