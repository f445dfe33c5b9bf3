"""What records sessions is built when somebody can read it, and only then."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.config.load import load
from gateway.config.recordings import kept_of_sessions, make_recordings, recording_families
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.events import Event
from tests.config.world import changed, furnish
from tests.support.recorded import make_keys


class Ledger:
    async def append(self, event: Event) -> None: ...

    def suspend(self, cause: str) -> None: ...

    def resume(self) -> None: ...


def settings(folder: Path, recording: Mapping[str, object]) -> Settings:
    furnish(folder)
    path = folder / "gateway.yaml"
    path.write_text(changed("evidence.recording", dict(recording)), encoding="utf-8")
    return load(path)


@pytest.mark.parametrize("recording", [{}, {"content": "full"}, {"content": "shape"}, {"content": "none"}])
def test_without_recipients_nothing_is_recorded(tmp_path: Path, recording: dict[str, object]) -> None:
    assert make_recordings(settings(tmp_path, recording), Ledger(), SystemClock()) is None


def test_metrics_tell_what_waits(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    made = make_recordings(settings(tmp_path, {"recipients": [keys.public.name]}), Ledger(), SystemClock())
    assert recording_families(None) == []
    assert {family.name: family.read() for family in recording_families(made)} == {
        "querywarden_recordings_open": {"": 0.0},
        "querywarden_recordings_waiting_bytes": {"": 0.0},
        "querywarden_recordings_failing": {"": 0.0},
    }


@pytest.mark.parametrize(
    ("content", "readers", "kept"),
    [
        (None, True, "full"),
        ("full", True, "full"),
        ("full", False, "shape"),
        (None, False, "shape"),
        ("none", True, "none"),
        ("shape", True, "shape"),
    ],
)
def test_what_is_kept_is_said(tmp_path: Path, content: str | None, readers: bool, kept: str) -> None:  # noqa: FBT001
    keys = make_keys(tmp_path)
    named: dict[str, object] = {"content": content} if content else {}
    assert kept_of_sessions(settings(tmp_path, named | ({"recipients": [keys.public.name]} if readers else {}))) == kept


def test_recipients_are_enough_to_be_recorded_in_full_and_each_counts_once(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    named = {"recipients": [keys.public.name, keys.public.name]}
    made = make_recordings(settings(tmp_path, named), Ledger(), SystemClock())
    assert made is not None
    assert len(made.recipients) == 1


def test_recipients_do_not_outweigh_what_was_said(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    named = {"content": "shape", "recipients": [keys.public.name]}
    assert make_recordings(settings(tmp_path, named), Ledger(), SystemClock()) is None


def test_a_key_that_went_away_is_named(tmp_path: Path) -> None:
    keys = make_keys(tmp_path)
    read = settings(tmp_path, {"recipients": [keys.public.name]})
    keys.public.unlink()
    with pytest.raises(ConfigError, match=r"recording\.pub"):
        make_recordings(read, Ledger(), SystemClock())
