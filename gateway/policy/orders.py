"""Orders of people to a gateway that runs: files in `orders/` of its data folder, each answered by another file.

Whoever may write there owns the gateway's keys and log anyway, so the folder's mode is the permission, and it works
without a network. An order that nobody has taken waits for the next start: a stop ordered while the gateway is down
holds from its first statement on.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec

from gateway.core.blanking import clean_value
from gateway.core.disguised import find_any
from gateway.policy.archive import MAX_ARCHIVE_BYTES
from gateway.policy.stops import Kind

FOLDER: Final = "orders"
ORDER_MAX: Final = 64 << 10
"""bytes"""
_ORDER, _BUNDLE, _ANSWER = ".order.json", ".tar.gz", ".answer.json"
_LOCK: Final = "attended"
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Id: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[0-9a-f-]{36}$")]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an order: what nobody knows is refused."""


class Activate(_Part, frozen=True, kw_only=True, tag="activate"):
    """Bring the bundle that lies beside the order into force."""


class Rollback(_Part, frozen=True, kw_only=True, tag="rollback"):
    """Go back to a bundle that was active before."""

    to: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Halt(_Part, frozen=True, kw_only=True, tag="stop"):
    """Deny at once."""

    kind: Kind
    name: Annotated[str, msgspec.Meta(max_length=512)] = ""


class Lift(_Part, frozen=True, kw_only=True, tag="lift"):
    """Let a stop go."""

    stop: Text


class Accessed(_Part, frozen=True, kw_only=True, tag="accessed"):
    """Record that a person has read evidence."""

    what: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """the command"""
    arguments: Annotated[dict[str, str], msgspec.Meta(max_length=64)] = {}
    """what it was asked for; without card numbers"""
    results: int | None = None
    """how many it found"""
    person: Annotated[str, msgspec.Meta(max_length=512)] = ""
    """who says to be typing, when several people share the account"""


class Shred(_Part, frozen=True, kw_only=True, tag="shred"):
    """Record that the key of a session's recording is being destroyed."""

    session: Id
    legal: Annotated[str, msgspec.Meta(max_length=512)] = ""
    """the legal reason for which it must go before its time"""
    person: Annotated[str, msgspec.Meta(max_length=512)] = ""
    """who says to be typing"""


class Reviewed(_Part, frozen=True, kw_only=True, tag="reviewed"):
    """Record that a person has looked at a day's digest."""

    day: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    until: Annotated[str, msgspec.Meta(max_length=64)]
    """up to when the digest goes, RFC 3339"""
    digest: Annotated[str, msgspec.Meta(pattern="^sha256:[0-9a-f]{64}$")]
    detections: int
    """how many things stood out"""
    person: Annotated[str, msgspec.Meta(max_length=512)] = ""
    """who says to be typing"""


class Prune(_Part, frozen=True, kw_only=True, tag="prune"):
    """Remove the content of old leaves."""

    before_ns: int
    """everything older than that"""
    legal: bool = False
    """the reason is a legal one, which counts also inside the time that evidence is kept"""


Command: TypeAlias = Activate | Rollback | Halt | Lift | Accessed | Shred | Reviewed | Prune


class Order(_Part, frozen=True, kw_only=True):
    """What is to be done, by whose word and why."""

    id: Id
    by: Text
    """as the person who gave it is called on this machine"""
    reason: Text
    at: Text
    """RFC 3339"""
    command: Command


class Answer(_Part, frozen=True, kw_only=True):
    """What became of an order."""

    ok: bool
    text: str
    code: str = ""


class Tray:
    """The folder. Methods raise OSError."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def place(self, order: Order, bundle: bytes | None = None) -> None:
        """Lay an order down, whole, and without card numbers: who gives it types a reason."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if bundle is not None:
            self._write(f"{order.id}{_BUNDLE}", bundle)
        raw = msgspec.json.encode(order)
        if find_any(raw):
            raw = msgspec.json.encode(clean_value(msgspec.json.decode(raw)))
        self._write(f"{order.id}{_ORDER}", raw)

    def answer(self, order_id: str) -> Answer | None:
        """What became of it, once: then the answer is gone."""
        path = self._folder / f"{order_id}{_ANSWER}"
        try:
            raw = path.read_bytes()
        except FileNotFoundError:
            return None
        path.unlink(missing_ok=True)
        return msgspec.json.decode(raw, type=Answer)

    def withdraw(self, order_id: str) -> Answer | None:
        """Take an order back that nobody has answered; its answer when there is one after all."""
        (self._folder / f"{order_id}{_ORDER}").unlink(missing_ok=True)
        return self.answer(order_id)

    def pending(self) -> Iterator[tuple[str, Order | None]]:
        """Orders in the order in which they were given, by the id of their file; None for one that is none."""
        try:
            entries = (entry.name for entry in os.scandir(self._folder) if entry.name.endswith(_ORDER))
            names = sorted(name for name in entries if not name.startswith("."))  # else it is being written
        except FileNotFoundError:
            return
        for name in names:
            yield name.removesuffix(_ORDER), self._read(self._folder / name)

    def bundle(self, order_id: str) -> bytes:
        """The archive beside an order."""
        with (self._folder / f"{order_id}{_BUNDLE}").open("rb") as file:
            return file.read(MAX_ARCHIVE_BYTES + 1)

    def settle(self, order_id: str, answer: Answer) -> None:
        """Answer an order, and take it away."""
        self._write(f"{order_id}{_ANSWER}", msgspec.json.encode(answer))
        for kind in (_ORDER, _BUNDLE):
            (self._folder / f"{order_id}{kind}").unlink(missing_ok=True)

    def attend(self) -> int:
        """Say that a gateway looks at this folder, for as long as the descriptor is open."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    def attended(self) -> bool:
        """Whether a gateway looks at this folder now."""
        try:
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> None:
        """Take away answers that nobody fetched."""
        with contextlib.suppress(OSError):
            for path in self._folder.glob(f"*{_ANSWER}"):
                path.unlink(missing_ok=True)

    def _read(self, path: Path) -> Order | None:
        """An order of ours or of root, and nothing else that lies there."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode) or info.st_uid not in {0, os.getuid()} or info.st_size > ORDER_MAX:
                return None
            raw = os.read(descriptor, ORDER_MAX)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        try:
            order = msgspec.json.decode(raw, type=Order)
        except msgspec.DecodeError:
            return None
        return order if path.name == f"{order.id}{_ORDER}" else None

    def _write(self, name: str, raw: bytes) -> None:
        fresh = self._folder / f".{name}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(self._folder / name)
