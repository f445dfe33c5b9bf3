"""Writes recordings: a session's tape is cut, sealed and synced in a thread, and each segment's hash goes into the log.

A segment is on the disk before the leaf that names it is written, so what the log says of a recording is there. What
cannot be written stays in memory and is tried again; meanwhile the recorder lets nothing new through (`suspend`), and a
session that has `PENDING_MAX` bytes waiting is held back. So nothing is shown that cannot be recorded.
"""

import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Protocol

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.events import Event, EventType
from gateway.core.ids import random_bytes
from gateway.core.principal import Json
from gateway.evidence.files import FILE_MODE, make_folder, put_file
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.recording.format import END, FRAMES, KEY_SIZE, VERSION, Header, Sealer, encode_header
from gateway.evidence.recording.frames import SEGMENT_MAX, pack
from gateway.evidence.recording.keys import Recipient, wrap
from gateway.evidence.recording.places import FOLDER, key_path, recording_path
from gateway.evidence.recording.tape import Draft, Tape

SEGMENT_SECONDS: Final = 1.0
PENDING_MAX: Final = 4 << 20
"""bytes of one session that may wait to be sealed"""
RETRY_SECONDS: Final = 0.5
CLOSE_SECONDS: Final = 10.0
"""for what is left at the end of a session"""
THREADS: Final = 2


class Ledger(Protocol):
    """What the store needs of the recorder."""

    async def append(self, event: Event) -> object:
        """Write an event. Raises Unavailable."""
        ...

    def suspend(self, cause: str) -> None:
        """Let nothing new through until `resume`."""
        ...

    def resume(self) -> None:
        """All is well again."""
        ...


class Recordings:
    """The recordings of one data folder. On one event loop."""

    def __init__(self, data_dir: Path, recipients: tuple[Recipient, ...], ledger: Ledger, clock: Clock) -> None:
        self.data_dir = data_dir
        self.recipients = recipients
        self.ledger = ledger
        self.clock = clock
        self.threads = ThreadPoolExecutor(THREADS, "evidence-recording")
        self.open: set[Recording] = set()
        """sessions that are being recorded"""
        self._failing: set[Recording] = set()
        self._probing: asyncio.Task[None] | None = None

    def begin(self, sid: str, connection: str, protocol: str) -> "Recording":
        """Record a session from now on. Nothing is written yet. Raises Unavailable while nothing can be."""
        if self.is_failing:
            raise Unavailable("evidence.unavailable")
        header = Header(
            v=VERSION,
            sid=sid,
            connection=connection,
            protocol=protocol,
            content="full",
            started=str(self.clock.now_ns()),
            recipients=tuple(each.fingerprint for each in self.recipients),
        )
        recording = Recording(self, header)
        self.open.add(recording)
        return recording

    @property
    def is_failing(self) -> bool:
        """Something cannot be written, and so nothing new is let through."""
        return bool(self._failing) or self._probing is not None

    @property
    def waiting(self) -> int:
        """Bytes that are not written yet."""
        return sum(recording.waiting for recording in self.open)

    def failed(self, recording: "Recording", cause: str) -> None:
        """A segment could not be written: nothing new is let through."""
        if not self._failing and self._probing is None:
            self.ledger.suspend(f"recording {cause}")
        self._failing.add(recording)

    def well(self, recording: "Recording") -> None:
        """It could after all."""
        if recording in self._failing:
            self._failing.discard(recording)
            if not self._failing and self._probing is None:
                self.ledger.resume()

    def given_up(self, recording: "Recording") -> None:
        """Its session has ended. That nobody waits any more does not mean that all is well."""
        self.open.discard(recording)
        if recording in self._failing:
            self._failing.discard(recording)
            if not self._failing and self._probing is None:
                self._probing = asyncio.get_running_loop().create_task(self._probe())

    async def close(self) -> None:
        """Let go of the threads."""
        well = self._probing is None and not self._failing
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait({self._probing})
        self.threads.shutdown(wait=well)

    async def _probe(self) -> None:
        """Until it works: write as much as a segment has."""
        await _until_done(self._could_write)
        self._probing = None
        if not self._failing:
            self.ledger.resume()

    async def _could_write(self) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self.threads, self._can_write)

    def _can_write(self) -> bool:
        probe = self.data_dir / FOLDER / ".probe"
        try:
            put_file(probe, bytes(SEGMENT_MAX), sync=True)
            probe.unlink()
        except OSError:
            return False
        return True


class Recording:
    """One session's. `tape` takes what is to be kept; `kept` is called after that."""

    def __init__(self, store: Recordings, header: Header) -> None:
        self.tape = Tape()
        self._store = store
        self._header = header
        self._began_ns = store.clock.monotonic_ns()
        self._file = _File(recording_path(store.data_dir, header.sid), header, store.recipients)
        self._hashes: list[bytes] = []
        """leaves of the tree over the segments"""
        self._unsealed = 0
        """bytes cut from the tape and not yet written"""
        self._timer: asyncio.TimerHandle | None = None
        self._work: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()
        self._abandoned = False
        self._broken = False
        """by a mistake of ours: nothing more is sealed"""

    def now(self) -> int:
        """Nanoseconds since the session began."""
        return self._store.clock.monotonic_ns() - self._began_ns

    def kept(self) -> None:
        """Something was put on the tape: see that it is sealed in time."""
        if self.tape.pending >= SEGMENT_MAX:
            self._begin()
        elif self._timer is None and self._work is None:
            self._timer = asyncio.get_running_loop().call_later(SEGMENT_SECONDS, self._begin)

    @property
    def is_full(self) -> bool:
        """So much waits to be written that the session has to be held back."""
        return self.waiting > PENDING_MAX and not self._abandoned

    @property
    def waiting(self) -> int:
        """Bytes that are not written yet."""
        return self.tape.pending + self._unsealed

    async def room(self) -> None:
        """Wait until it is not full any more."""
        while self.is_full:
            self._begin()
            self._moved.clear()
            await self._moved.wait()

    async def close(self) -> dict[str, Json]:
        """Seal what is left and the end; what `session.closed` says of the recording."""
        complete = await self._sealed_all()
        await self._let_go()
        facts: dict[str, Json] = {"content": self._header.content, "segments": len(self._hashes)}
        facts |= {"bytes": self._file.size, "root": root_of(self._hashes).hex()}
        if not complete:
            facts |= {"complete": False, "lost": self.waiting}
        return facts

    async def _sealed_all(self) -> bool:
        """Seal what is left, and the end. False when that could not be done in time."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                while not self._broken and (self._work is not None or self.tape.pending):
                    self._begin()
                    await self._settled()
                if not self._broken:
                    await self._seal(msgspec.json.encode(self.tape.totals), None)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the session's end is recorded and says so
            self._broken = self._broken or not isinstance(error, TimeoutError)
            return False
        return not self._broken

    async def _let_go(self) -> None:
        self._abandoned = True
        self._moved.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})
        self._store.given_up(self)
        self._store.threads.submit(self._file.close)

    def _begin(self) -> None:
        """Seal what there is, unless that is being done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is None and not self._abandoned and not self._broken:
            self._work = asyncio.get_running_loop().create_task(self._seal_all())
            self._work.add_done_callback(self._ended)

    def _ended(self, work: "asyncio.Task[None]") -> None:
        self._work = None
        self._moved.set()
        error = None if work.cancelled() else work.exception()
        if error is not None:
            self._broken = True
            self._store.failed(self, type(error).__name__)
        elif self.tape.pending and not self._abandoned:
            self.kept()

    async def _settled(self) -> None:
        if self._work is not None:
            await asyncio.wait({self._work})

    async def _seal_all(self) -> None:
        """Once through what is there now: what comes meanwhile waits its second."""
        left = self.tape.pending
        while left > 0 and (draft := self.tape.cut()) is not None:
            left -= draft.size
            self._unsealed = draft.size
            await self._seal(b"", draft)
            self._unsealed = 0
            self._moved.set()

    async def _seal(self, end: bytes, draft: Draft | None) -> None:
        """Write one segment, then its leaf, for as long as it takes."""
        loop, number = asyncio.get_running_loop(), len(self._hashes)
        segment, digest = await loop.run_in_executor(self._store.threads, self._file.seal, end, draft)
        await _until_done(lambda: self._write(segment))
        event = self._sealed(number, digest, len(segment), draft)
        await _until_done(lambda: self._append(event))
        self._hashes.append(leaf_hash(bytes.fromhex(digest)))

    async def _write(self, segment: bytes) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._store.threads, self._file.write, segment)
        except OSError as error:
            self._store.failed(self, errno.errorcode.get(error.errno or 0, "EIO"))
            return False
        self._store.well(self)
        return True

    async def _append(self, event: Event) -> bool:
        try:
            await self._store.ledger.append(event)
        except Unavailable:
            return False
        return True

    def _sealed(self, number: int, digest: str, size: int, draft: Draft | None) -> Event:
        header = self._header
        data: dict[str, Json] = {"segment": number, "sha256": digest, "at": self._file.size - size, "bytes": size}
        if draft is not None and draft.statements:
            data |= {"first": draft.first, "statements": draft.statements}
        if number == 0:
            data |= {"content": header.content, "protocol": header.protocol, "front": self._file.front_hash}
            data |= {"key": self._file.key_hash, "recipients": list(header.recipients)}
        if draft is None:
            data["end"] = True
        return Event(type=EventType.RECORDING_SEALED, sid=header.sid, res=header.connection, data=data)


async def _until_done(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Try, and try again."""
    done = await attempt()
    while not done:
        await asyncio.sleep(RETRY_SECONDS)
        done = await attempt()


class _File:
    """The file of one recording. Its methods are called in threads and raise OSError."""

    def __init__(self, path: Path, header: Header, recipients: tuple[Recipient, ...]) -> None:
        key = random_bytes(KEY_SIZE)
        self._front = encode_header(header)
        self._wrapped = wrap(key, header.sid, recipients)
        self._sealer = Sealer(key, header.sid, self._front)
        self._path = path
        self._descriptor = -1
        self._one = threading.Lock()
        """a session that is given up may still have a write on its way"""
        self.size = 0
        """bytes that are durable"""
        self.front_hash = hashlib.sha256(self._front).hexdigest()
        self.key_hash = hashlib.sha256(self._wrapped).hexdigest()

    def seal(self, end: bytes, draft: Draft | None) -> tuple[bytes, str]:
        """The next segment's bytes and hash. They are made once, and written again when that failed."""
        if draft is None:
            segment = self._sealer.seal(end, kind=END)
        else:
            plain = pack(draft.pieces)
            segment = self._sealer.seal(plain, kind=FRAMES, first=draft.first, statements=draft.statements)
        return segment, hashlib.sha256(segment).hexdigest()

    def write(self, segment: bytes) -> None:
        """Append and sync. What a failed attempt left is written over."""
        with self._one:
            if self._descriptor < 0:
                self._create()
            _write_at(self._descriptor, segment, self.size)
            os.fdatasync(self._descriptor)
            self.size += len(segment)

    def close(self) -> None:
        """Half a segment that a failed attempt left is cut off."""
        with self._one:
            if self._descriptor >= 0:
                os.ftruncate(self._descriptor, self.size)
                os.close(self._descriptor)
                self._descriptor = -1

    def _create(self) -> None:
        """The key first: a recording without one could never be read."""
        make_folder(self._path.parent)
        put_file(key_path(self._path), self._wrapped, sync=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
        try:
            _write_at(descriptor, self._front, 0)
            os.fsync(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self.size = descriptor, len(self._front)


def _write_at(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written
