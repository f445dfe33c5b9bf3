"""Builds what records sessions, from the settings."""

from gateway.config import settings as s
from gateway.core.clock import Clock
from gateway.core.errors import ConfigError
from gateway.evidence.recording.keys import Recipient, load_recipient
from gateway.evidence.recording.store import Ledger, Recordings
from gateway.frontends.http.state import Family


def make_recordings(settings: s.Settings, ledger: Ledger, clock: Clock) -> Recordings | None:
    """None when sessions are not recorded. Raises ConfigError."""
    recording = settings.evidence.recording
    if not recording.is_full:
        return None
    return Recordings(settings.data_dir, _recipients(recording), ledger, clock)


def recording_families(recordings: Recordings | None) -> list[Family]:
    """How many sessions are recorded, how much waits for the disk, and whether nothing can be written."""
    if recordings is None:
        return []
    return [
        Family(
            "querywarden_recordings_open", "Sessions that are being recorded.",
            lambda: {"": float(len(recordings.open))},
        ),
        Family(
            "querywarden_recordings_waiting_bytes", "Of sessions, not written yet.",
            lambda: {"": float(recordings.waiting)},
        ),
        Family(
            "querywarden_recordings_failing", "1 while segments cannot be written, and so nothing new is let through.",
            lambda: {"": float(recordings.is_failing)},
        ),
    ]  # fmt: skip


def kept_of_sessions(settings: s.Settings) -> str:
    """`full`, `shape` or `none`. Without recipients nobody could read the first."""
    recording = settings.evidence.recording
    return "full" if recording.is_full else "none" if recording.content == "none" else "shape"


def _recipients(recording: s.Recording) -> tuple[Recipient, ...]:
    """Each once. Raises ConfigError."""
    try:
        loaded = [load_recipient(path) for path in recording.recipients]
    except OSError as error:
        raise ConfigError("recording.key", f"{error.filename}: {error.strerror}") from None
    return tuple({each.fingerprint: each for each in loaded}.values())
