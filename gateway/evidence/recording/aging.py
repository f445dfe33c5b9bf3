"""Recordings go with the leaves that seal them: when those are pruned, nothing is left to compare them with."""

from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.places import begun_ns, recordings
from gateway.evidence.recording.shred import destroy_key

SLACK_NS: Final = 60_000_000_000
"""a segment's leaf is written right behind it; the log may have been slow"""


def remove_older(data_dir: Path, until_ns: int) -> int:
    """Remove recordings whose last segment is older than the youngest leaf that was pruned; how many. Raises OSError.

    A recording whose leaves are only in part gone stays: what is left of them can still be compared.
    """
    removed = 0
    for sid, path in recordings(data_dir):
        try:
            if begun_ns(sid) >= until_ns:
                break  # they come in the order of their days, and of their ids within one
        except RecordingError:  # a file that somebody put there
            continue
        if path.stat().st_mtime_ns + SLACK_NS < until_ns:
            destroy_key(path)
            path.unlink()
            removed += 1
            with suppress(OSError):  # others of that day are still there
                path.parent.rmdir()
    return removed
