"""Where a recording lies: `recordings/<day>/<session>.gwr`, and beside it `.wrapped`, its data key for its recipients.

The day is that of the session's id (a version 7 UUID holds its time), so a session is found without an index.
"""

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.evidence.recording.format import RecordingError

FOLDER: Final = "recordings"
SUFFIX: Final = ".gwr"
KEY_SUFFIX: Final = ".wrapped"
_SESSION: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def recording_path(data_dir: Path, sid: str) -> Path:
    """Of a session's recording. Raises RecordingError for what is no session id (it becomes part of a path)."""
    try:
        day = _EPOCH + dt.timedelta(milliseconds=begun_ns(sid) // 1_000_000)
    except OverflowError:
        raise RecordingError("recording.unknown", "this is not a session's id") from None
    return data_dir / FOLDER / f"{day:%Y-%m-%d}" / f"{sid}{SUFFIX}"


def begun_ns(sid: str) -> int:
    """When a session began, to the millisecond: its id says so (RFC 9562, §5.7). Raises RecordingError."""
    if _SESSION.fullmatch(sid) is None:
        raise RecordingError("recording.unknown", "this is not a session's id")
    return int(sid[:8] + sid[9:13], 16) * 1_000_000


def key_path(recording: Path) -> Path:
    """Of the wrapped data key of a recording."""
    return recording.with_suffix(KEY_SUFFIX)


def recordings(data_dir: Path) -> Iterator[tuple[str, Path]]:
    """(session, path) of every recording there is, in the order of their days and of their ids."""
    for path in sorted((data_dir / FOLDER).glob(f"*/*{SUFFIX}")):
        sid = path.name.removesuffix(SUFFIX)
        if _SESSION.fullmatch(sid) is not None:
            yield sid, path
