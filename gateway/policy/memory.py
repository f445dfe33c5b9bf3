"""What outlives a restart besides the bundles: which was active, how old none may be, and what is stopped."""

import os
from pathlib import Path

import msgspec

from gateway.core.errors import Unavailable
from gateway.policy.stops import Stop

FILE = "policy.json"
_MAX = 16 << 20


class Remembered(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of the file."""

    active: str = ""
    """sha256 of the bundle that was active last"""
    sequence: int = 0
    """the highest that was ever active; a lower one comes back by `policy rollback` only"""
    withdrawn: tuple[str, ...] = ()
    """sha256 of bundles that were rolled back from"""
    stops: tuple[Stop, ...] = ()


class Memory:
    """`policy.json` in the data folder. One gateway writes it; whoever looks sees the old one or the new one."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / FILE
        self.now = Remembered()

    @classmethod
    def open(cls, data_dir: Path) -> "Memory":
        """What is remembered; nothing at first. Raises Unavailable when it cannot be read: a stop could stand in it."""
        memory = cls(data_dir)
        try:
            memory.now = msgspec.json.decode(memory._path.read_bytes()[:_MAX], type=Remembered)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            raise Unavailable("evidence.unavailable", f"{memory._path}: {type(error).__name__}") from None
        return memory

    def keep(self, **changes: object) -> None:
        """Change some of it, durably, or nothing. Raises Unavailable."""
        fresh = msgspec.structs.replace(self.now, **changes)
        beside = self._path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(fresh)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Unavailable("evidence.unavailable", f"{self._path}: {type(error).__name__}") from None
        self.now = fresh
