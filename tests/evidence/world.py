"""A clock that ticks, events as sessions make them, small whole logs, and a disk that fails when told to."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

from gateway.core.clock import Clock
from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from gateway.evidence.verify import Report, verify

NOW = 1_900_000_000 * 1_000_000_000
MILLISECOND = 1_000_000
TEXTS = ["SELECT 1", "SELECT name FROM customers", "SELECT pan FROM cards", "TABLE orders", "SELECT now()"]
CARD = "4111111111111111"


class TickClock:
    """A millisecond passes whenever somebody looks."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def now_ns(self) -> int:
        self.now += MILLISECOND
        return self.now

    def monotonic_ns(self) -> int:
        return self.now_ns()

    def forward(self, seconds: float) -> None:
        self.now += int(seconds * 1e9)


def opened(sid: str, subject: str = "agent-7") -> Event:
    return Event(type=EventType.SESSION_OPENED, sid=sid, who=Who(id=subject, issuer="https://idp.test"), res="payments")


def closed(sid: str) -> Event:
    return Event(type=EventType.SESSION_CLOSED, sid=sid, res="payments", data={"reason": "client"})


def decided(did: str, sid: str = "", *, ok: bool = True, durable: bool = False, **more: object) -> Event:
    text = str(more.get("text", "SELECT id FROM cards WHERE id = ?"))
    return Event(
        type=EventType.STATEMENT_DECIDED, sid=sid, did=did, ok=ok, durable=durable,
        who=Who(id=str(more.get("subject", "agent-7")), on_behalf_of=str(more.get("person", ""))),
        res=str(more.get("connection", "payments")), act=str(more.get("action", "select")),
        outcome="allow" if ok else "deny", bundle=f"sha256:{'b' * 64}",
        bodies={"in": input_document(text), "out": f'{{"outcome":"{"allow" if ok else "deny"}","reasons":'
                f'[{{"args":{{}},"code":"{more.get("code", "access.granted")}"}}]}}'.encode()},
    )  # fmt: skip


def input_document(text: str) -> bytes:
    return (
        '{"statement":{"columns":[{"labels":["pan"],"name":"pan","relation":"cards","schema":"public"}],'
        '"relations":[{"labels":[],"name":"cards","schema":"public"}],"text_redacted":"' + text + '"}}'
    ).encode()


def finished(did: str, sid: str = "", outcome: str = "done") -> Event:
    facts: dict[str, object] = {"rows": 1, "bytes": 9, "us": 1200}
    return Event(type=EventType.STATEMENT_FINISHED, sid=sid, did=did, res="payments", outcome=outcome, data=facts)


async def one_session(recorder: Recorder, clock: Clock, statements: int = 2, pause: float = 0) -> list[str]:
    """A session from its opening to its end; the ids of its decisions, every third of them a denial."""
    sid, ids = new_id(clock), []
    await recorder.append(opened(sid))
    for number in range(statements):
        did, ok = new_id(clock), number % 3 != 2
        ids.append(did)
        await recorder.append(decided(did, sid, ok=ok, text=TEXTS[number % 5]))
        if ok:
            await recorder.append(finished(did, sid))
        if pause:
            await asyncio.sleep(pause)
    await recorder.append(closed(sid))
    return ids


def whole_log(data_dir: Path, sessions: int = 3, statements: int = 4, clock: TickClock | None = None) -> list[str]:
    """A log that was opened, used and closed; the ids of its decisions."""
    ticks = clock or TickClock()

    async def write() -> list[str]:
        recorder = await Recorder.open(data_dir, ticks, checkpoint_interval=3600, name="log.test")
        ids = [did for _ in range(sessions) for did in await one_session(recorder, ticks, statements)]
        await recorder.close()
        return ids

    return asyncio.run(write())


def grave(report: Report) -> list[str]:
    """Names of what an auditor must not accept."""
    return [finding.name for finding in report.findings if finding.grave]


def check(data_dir: Path) -> Report:
    return verify(data_dir, TickClock())


class Disk:
    """Stands between the log and the system's disk: it can be full, broken, slow, or hang."""

    def __init__(self) -> None:
        self.room: int | None = None
        """bytes that may still be written; None: enough"""
        self.sync_error: int = 0
        self.gate = threading.Event()
        self.gate.set()
        self.syncs = 0
        self.synced: Callable[[], None] = lambda: None
        self._pwrite, self._fdatasync = os.pwrite, os.fdatasync

    def pwrite(self, descriptor: int, data: bytes | memoryview, offset: int) -> int:
        if self.room is None:
            return self._pwrite(descriptor, data, offset)
        if not self.room:
            raise OSError(errno.ENOSPC, "full")
        taken = min(self.room, len(data))
        self.room -= taken
        return self._pwrite(descriptor, memoryview(data)[:taken], offset)

    def fdatasync(self, descriptor: int) -> None:
        self.gate.wait(10)
        if self.sync_error:
            raise OSError(self.sync_error, "broken")
        self.syncs += 1
        self._fdatasync(descriptor)
