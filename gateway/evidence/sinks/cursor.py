"""What a sink must not forget: how far its receiver has the log, and which events it would not take.

data_dir/sinks/<name>/cursor.json    written whole, synced, after each batch that was taken
data_dir/sinks/<name>/parked.jsonl   one line for each event that was refused, synced before the cursor passes it
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from gateway.evidence.files import FILE_MODE, make_folder, put_file, sync_folder
from gateway.evidence.sinks.outgoing import Position
from gateway.evidence.sinks.sessions import Seen

FOLDER: Final = "sinks"
_CURSOR: Final = "cursor.json"
_PARKED: Final = "parked.jsonl"


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """How far a sink is: everything before (`epoch`, `index`) was taken or parked."""

    epoch: int
    index: int
    sessions: Mapping[str, Seen] = {}
    """the sessions open at this place, as far as a format needs them"""
    v: int = 1

    @property
    def position(self) -> Position:
        """The next leaf to send."""
        return Position(self.epoch, self.index)


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """An event that a receiver would not take. The leaf itself stands in the log."""

    id: str
    type: str
    t: str
    """of the leaf, nanoseconds"""
    reason: str
    at: str
    """when it was parked, nanoseconds"""


class Cabinet:
    """The files of one sink. Methods raise OSError."""

    def __init__(self, data_dir: Path, name: str) -> None:
        self._folder = data_dir / FOLDER / name
        self.parked = len(self.list_parked())
        """how many events were parked since the sink exists"""

    def load(self) -> Cursor | None:
        """The cursor; None when there is none, or when it is damaged: then everything is sent once more."""
        try:
            return msgspec.json.decode((self._folder / _CURSOR).read_bytes(), type=Cursor)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def save(self, cursor: Cursor) -> None:
        """Replace the cursor, durably."""
        make_folder(self._folder)
        put_file(self._folder / _CURSOR, msgspec.json.encode(cursor), sync=True)

    def park(self, refused: Iterable[Parked]) -> None:
        """Add to the list, durably. One that is there already (a crash came before the cursor) is not added again."""
        known = {each.id for each in self.list_parked()}
        new = [each for each in refused if each.id not in known]
        if not new:
            return
        make_folder(self._folder)
        path = self._folder / _PARKED
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in new)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "ab") as file:
            if file.tell() and not path.read_bytes().endswith(b"\n"):
                file.write(b"\n")  # a crash tore the line before
            file.write(lines)
            file.flush()
            os.fsync(descriptor)
        sync_folder(self._folder)
        self.parked += len(new)

    def list_parked(self) -> list[Parked]:
        """Every parked event, in the order of parking; a torn line is left out."""
        try:
            lines = (self._folder / _PARKED).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=Parked))
            except msgspec.DecodeError:
                continue
        return found


def cabinets(data_dir: Path) -> dict[str, Cabinet]:
    """The files of every sink there ever was, by name."""
    folders = sorted(path for path in (data_dir / FOLDER).glob("*") if path.is_dir())
    return {path.name: Cabinet(data_dir, path.name) for path in folders}


def furthest_behind(data_dir: Path, names: Iterable[str]) -> Position | None:
    """The first leaf that some sink of these has not sent: what must not be deleted yet. None: nothing is held back.

    A sink without a cursor has sent nothing.
    """
    places = [Cabinet(data_dir, name).load() for name in names]
    return min((Position(0, 0) if each is None else each.position for each in places), default=None)
