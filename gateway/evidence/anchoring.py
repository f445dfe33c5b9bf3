"""Has the newest checkpoint time-stamped once a day, beside the traffic. Trouble is told once, then tried again."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from gateway.core.clock import Clock
from gateway.core.errors import ConfigError, Unavailable
from gateway.core.events import Event, EventType
from gateway.evidence.anchor import Question, Stamp, TokenError, ask, read_token
from gateway.evidence.anchors import keep_anchor, last_anchored
from gateway.evidence.note import NoteError
from gateway.evidence.reader import LogReader
from gateway.evidence.witness import MAX_SKEW_SECONDS, Answer, Trouble, Why

LOOK_SECONDS: Final = 10.0
FIRST_SECONDS: Final = 60.0
SLOWEST_SECONDS: Final = 3600.0
"""between two tries of an authority in trouble: it doubles from the first to the last"""
_OK: Final = 200
_NS: Final = 1_000_000_000


@dataclass(eq=False)
class Authority:
    """One time-stamping authority, and what is known of it."""

    url: str
    roots: tuple[x509.Certificate, ...]
    every: float
    """seconds between two time-stamps"""
    post: Callable[[bytes], Awaitable[Answer | Trouble]]
    stamped_ns: int | None = None
    """when it stamped the log last; 0 for never, None before we looked"""
    told: str = ""
    """the trouble that was recorded and is not over"""
    failures: int = 0
    rests_until: int = 0
    """on the monotonic clock"""

    @property
    def host(self) -> str:
        """For people."""
        return urlsplit(self.url).hostname or self.url


class Anchoring:
    """The client of some authorities."""

    def __init__(
        self,
        data_dir: Path,
        epoch: int,
        authorities: Sequence[Authority],
        note: Callable[[Event], Awaitable[None]],
        clock: Clock,
    ) -> None:
        """`note` records an event and raises Unavailable when it cannot."""
        self.authorities = authorities
        self._data_dir, self._epoch = data_dir, epoch
        self._note = note
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask each authority whose time has come."""
        for authority in self.authorities:
            if authority.stamped_ns is None:
                prefix = self._reader().prefix
                authority.stamped_ns = await asyncio.to_thread(last_anchored, prefix, authority.url)
            due = self._clock.now_ns() >= authority.stamped_ns + int(authority.every * _NS)
            if due and self._clock.monotonic_ns() >= authority.rests_until:
                await self._stamp(authority)

    def ages(self) -> dict[str, float]:
        """Seconds since each authority's last time-stamp, for those that have given one."""
        now = self._clock.now_ns()
        return {each.host: max(0, now - each.stamped_ns) / _NS for each in self.authorities if each.stamped_ns}

    def _reader(self) -> LogReader:
        return LogReader(self._data_dir, self._epoch)

    async def _stamp(self, authority: Authority) -> None:
        reader = self._reader()
        try:
            question = await asyncio.to_thread(lambda: ask(reader.note) if reader.checkpoint.size else None)
            if question is None:
                return
            found = await self._answer(authority, question)
            if isinstance(found, Trouble):
                await self._in_trouble(authority, found)
                return
            stamp, token = found
            kept = (question.data, token)
            size = reader.checkpoint.size
            name = await asyncio.to_thread(keep_anchor, reader.prefix, authority.url, stamp.at_ns, size, kept)
        except FileNotFoundError:  # no checkpoint yet
            return
        except (OSError, NoteError, ConfigError) as error:
            await self._in_trouble(authority, Trouble(Why.LOCAL, type(error).__name__))
            return
        await self._stamped(authority, stamp, size, name, token)

    async def _answer(self, authority: Authority, question: Question) -> tuple[Stamp, bytes] | Trouble:
        answer = await authority.post(question.body)
        if isinstance(answer, Trouble):
            return answer
        if answer.status != _OK:
            return Trouble(Why.STATUS, str(answer.status))
        try:
            stamp = await asyncio.to_thread(read_token, answer.body, question.data, authority.roots, question.nonce)
        except TokenError as error:
            return Trouble(Why.SIGNATURE, str(error)[:200])
        off = (stamp.at_ns - self._clock.now_ns()) // _NS
        return Trouble(Why.CLOCK, f"{off} s") if abs(off) > MAX_SKEW_SECONDS else (stamp, answer.body)

    async def _stamped(self, authority: Authority, stamp: Stamp, size: int, name: str, token: bytes) -> None:
        authority.stamped_ns, authority.failures = stamp.at_ns, 0
        data: dict[str, object] = {
            "authority": authority.host,
            "by": stamp.by[:200],
            "at": str(stamp.at_ns),
            "size": size,
            "name": name,
            "token": f"sha256:{hashlib.sha256(token).hexdigest()}",
        }
        if await self._noted(Event(type=EventType.LOG_ANCHORED, data=data)):
            authority.told = ""

    async def _in_trouble(self, authority: Authority, trouble: Trouble) -> None:
        rest = min(SLOWEST_SECONDS, FIRST_SECONDS * 2 ** min(authority.failures, 16))
        authority.failures += 1
        authority.rests_until = self._clock.monotonic_ns() + int(rest * _NS)
        if authority.told == trouble.why:
            return
        data: dict[str, object] = {"authority": authority.host, "why": trouble.why.value, "detail": trouble.detail}
        if await self._noted(Event(type=EventType.ANCHOR_FAILED, ok=False, data=data)):
            authority.told = trouble.why

    async def _noted(self, event: Event) -> bool:
        try:
            await self._note(event)
        except Unavailable:
            return False
        return True
