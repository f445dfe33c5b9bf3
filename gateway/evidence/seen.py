"""The last checkpoint of each log that a verifier has seen: two lines beside what it remembers of the leaves.

What is remembered of leaves ends at a multiple of 256, so that a log put back by a few of them would fit. This does
not: the checkpoint that was seen must be a beginning of the one that is here, and an epoch that was seen must be here.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gateway.core.clock import moment
from gateway.evidence.files import make_folder, put_file, read_file
from gateway.evidence.reader import LogReader
from gateway.evidence.walk import Finding


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of one log."""

    key: str
    """the log's public key, as notes write it"""
    size: int
    root: str
    at_ns: int
    newest: int
    """number of the newest epoch there was"""


class Sights:
    """A folder of such files, one a log. Reading raises nothing; keeping raises OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, key: str) -> Sight | None:
        """What is remembered; None when nothing is, or it is not whole."""
        try:
            found = msgspec.json.decode(read_file(self._path(key)), type=Sight)
        except (OSError, ValueError):
            return None
        return found if found.key == key else None

    def keep(self, sight: Sight) -> None:
        """Remember it."""
        make_folder(self._folder)
        put_file(self._path(sight.key), msgspec.json.encode(sight), sync=True)

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.seen"


def gone_back(reader: LogReader, sight: Sight, newest: int) -> Iterator[Finding]:
    """What of a sight this log does not go on from, its tiles being those of its leaves. Raises OSError, ValueError."""
    if sight.newest > newest:
        text = f"its folder is missing; it was here when the log was verified at {moment(sight.at_ns)}"
        yield Finding("epoch.missing", f"epoch {sight.newest}", text)
    checkpoint = reader.checkpoint
    if checkpoint.size < sight.size:
        text = f"{sight.size} leaves were verified at {moment(sight.at_ns)}; only {checkpoint.size} are here"
        yield Finding("log.cut", f"epoch {reader.epoch}", text)
    elif sight.size and reader.root_of(sight.size).hex() != sight.root:
        text = f"another tree of {sight.size} leaves was verified at {moment(sight.at_ns)}"
        yield Finding("log.rewritten", f"epoch {reader.epoch}", text)
