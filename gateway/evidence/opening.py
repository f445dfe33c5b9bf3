"""Opens a data folder's log for writing: goes on with the last epoch, or begins one that names the old checkpoint.

data_dir/keys/log-<epoch>.key .pub .head, mac-<epoch>.key
data_dir/log/<epoch>/checkpoint, tile/…, wal/…
data_dir/objects/<2 hex>/<sha256>
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.evidence.files import FILE_MODE, make_folder, read_file
from gateway.evidence.head import EMPTY, Head, SignedHead, head_file, read_head
from gateway.evidence.keys import EpochKeys, create_keys, epochs, load_keys
from gateway.evidence.ledger import Ledger
from gateway.evidence.log import Log
from gateway.evidence.note import Checkpoint, NoteError, Verifier, open_checkpoint
from gateway.evidence.objects import Objects
from gateway.evidence.publisher import Publisher
from gateway.evidence.replay import BrokenLog, Replay, cut, replay
from gateway.evidence.tree import Tree

ELSEWHERE: Final = "another process writes this log"


class Previous(NamedTuple):
    """The epoch before, when it could not be gone on with."""

    checkpoint: Checkpoint
    reason: str


class Opened(NamedTuple):
    """A log open for writing. `locks` are held for as long as it is open."""

    log: Log
    keys: EpochKeys
    signed: SignedHead
    torn: int
    previous: Previous | None
    locks: tuple[int, ...]


def epoch_folder(data_dir: Path, epoch: int) -> Path:
    """The log's prefix in the sense of tlog-tiles."""
    return data_dir / "log" / str(epoch)


def open_log(data_dir: Path, clock: Clock, name: str = "") -> Opened:
    """Open it. Raises Unavailable when another process writes it, and OSError."""
    make_folder(data_dir / "log")
    locks = _lock(data_dir / "log" / "lock")
    try:
        return _open(data_dir, clock, name, locks)
    except BaseException:
        for lock in locks:
            os.close(lock)
        raise


def _open(data_dir: Path, clock: Clock, name: str, locks: tuple[int, ...]) -> Opened:
    folder, known = data_dir / "keys", epochs(data_dir / "keys")
    if not known:
        keys = create_keys(folder, 1, name)
        return _assemble(data_dir, clock, keys, _nothing(), None, locks)
    epoch = known[-1]
    try:
        keys = load_keys(folder, epoch)
    except (OSError, ValueError):
        signed = read_head(head_file(folder, epoch))
        previous = Previous(Checkpoint(f"epoch {epoch}", *signed), "its keys cannot be read")
        return _assemble(data_dir, clock, create_keys(folder, epoch + 1, name), _nothing(), previous, locks)
    head = _last_signed(data_dir, keys)
    try:
        found = replay(epoch_folder(data_dir, epoch) / "wal", head)
    except BrokenLog as broken:
        previous = Previous(Checkpoint(keys.signer.verifier.name, *head), str(broken))
        return _assemble(data_dir, clock, create_keys(folder, epoch + 1, name), _nothing(), previous, locks)
    return _assemble(data_dir, clock, keys, found, None, locks)


def _assemble(  # noqa: PLR0913, PLR0917 -- the parts of Opened, put together in one place
    data_dir: Path, clock: Clock, keys: EpochKeys, found: Replay, previous: Previous | None, locks: tuple[int, ...]
) -> Opened:
    prefix = epoch_folder(data_dir, keys.epoch)
    make_folder(prefix / "wal")
    make_folder(data_dir / "objects")
    torn = found.torn
    cut(found.cuts)
    signed = SignedHead(head_file(data_dir / "keys", keys.epoch))
    publisher = Publisher(prefix, Objects(data_dir / "objects"), keys.signer, signed)
    log = Log(prefix / "wal", found.tree, found.ledger, publisher, clock)
    if found.segment is not None:
        log.wal.resume(found.segment, found.offset)
    return Opened(log, keys, signed, torn, previous, locks)


def _nothing() -> Replay:
    return Replay(Tree(), Ledger(), None, 0, ())


def _last_signed(data_dir: Path, keys: EpochKeys) -> Head:
    """The larger of what our own file says and the checkpoint that lies in the log with our signature."""
    signed = SignedHead(head_file(data_dir / "keys", keys.epoch))
    signed.close()
    return max(signed.last, _checkpoint(epoch_folder(data_dir, keys.epoch) / "checkpoint", keys.signer.verifier))


def _checkpoint(path: Path, verifier: Verifier) -> Head:
    try:
        checkpoint = open_checkpoint(read_file(path), verifier)
    except (FileNotFoundError, NoteError):
        return EMPTY
    return Head(checkpoint.size, checkpoint.root)


def _lock(path: Path) -> tuple[int, ...]:
    """Lock the file, and the folder it lies in: a file can be taken away, and its lock with it.

    Some network file systems lock no folders; there the file has to do.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with _if_supported():
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        os.close(folder)
        raise Unavailable("evidence.unavailable", ELSEWHERE) from error
    return descriptor, folder


@contextmanager
def _if_supported() -> Iterator[None]:
    """Pass over an error, but not over the one that says that somebody else has the lock."""
    try:
        yield
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in {errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.ENOSYS}:
            raise
