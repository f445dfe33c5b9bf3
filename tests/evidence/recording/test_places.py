"""A recording lies where its session's id says, and an id that is none leads nowhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.clock import SystemClock
from gateway.core.ids import new_id
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.places import begun_ns, key_path, recording_path, recordings
from tests.evidence.recording.world import SID


def test_the_day_is_that_of_the_session(tmp_path: Path) -> None:
    path = recording_path(tmp_path, SID)
    assert path == tmp_path / "recordings" / "2026-11-25" / f"{SID}.gwr"
    assert key_path(path).name == f"{SID}.wrapped"


def test_a_new_session_begins_now() -> None:
    clock = SystemClock()
    before = clock.now_ns()
    assert abs(begun_ns(new_id(clock)) - before) < 10**9


@given(st.text(max_size=40) | st.sampled_from(["../" + SID, SID + "/", SID.upper(), SID.replace("-7", "-4", 1), ""]))
def test_no_other_text_leads_to_a_file(sid: str) -> None:
    with pytest.raises(RecordingError):
        recording_path(Path("/data"), sid)


def test_a_time_beyond_all_calendars_is_no_id() -> None:
    with pytest.raises(RecordingError):
        recording_path(Path("/data"), "ffffffff-ffff-7fff-bfff-ffffffffffff")


def test_all_recordings_are_found_oldest_day_first(tmp_path: Path) -> None:
    earlier = "01a0" + SID[4:]
    for sid in (SID, earlier):
        path = recording_path(tmp_path, sid)
        path.parent.mkdir(parents=True)
        path.touch()
        key_path(path).touch()
    assert [sid for sid, _ in recordings(tmp_path)] == [earlier, SID]
    assert list(recordings(tmp_path / "none")) == []
