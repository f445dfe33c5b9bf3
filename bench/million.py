"""`python -m bench.million FOLDER [DECISIONS] [DAYS]`: a data folder as a gateway leaves it after a million decisions.

Real documents and answers of the demo bundle, leaves by the real recorder, a clock that runs as fast as they are
written. Everything that reads logs is timed on such a folder: verify, search, explain, start. A folder that holds as
many decisions already is left as it is.
"""

import asyncio
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.past import DEMO, documents
from gateway.cli.policy.evaluating import Candidate
from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.evidence.recorder import HEARTBEAT_SECONDS, Recorder
from gateway.policy.archive import read_archive
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import read_contents
from gateway.policy.digests import policy_digest
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.store import BundleStore

QUESTIONS: Final = 5000
"""different documents, asked again and again: a document has no time in it unless a site has hours"""
SESSIONS_AT_ONCE: Final = 32
STATEMENTS: Final = 200
"""of a session"""
PUBLISH_EVERY: Final = 10_000
_DAY_NS: Final = 86_400 * 1_000_000_000
_BEAT_NS: Final = int(HEARTBEAT_SECONDS * 1e9)


class FastClock:
    """Goes on by what it is told to."""

    def __init__(self, now_ns: int) -> None:
        self.now = now_ns

    def now_ns(self) -> int:
        """What time it is there."""
        return self.now

    def monotonic_ns(self) -> int:
        """The same."""
        return self.now


class Asked(NamedTuple):
    """A question and its answer, and what a leaf says of them."""

    document: bytes
    answer: bytes
    who: Who
    connection: str
    action: str
    outcome: str
    ok: bool


@dataclass(slots=True)
class Session:
    """One agent at work."""

    sid: str
    who: Who
    left: int = STATEMENTS


class Writer:
    """Fills one folder."""

    def __init__(self, recorder: Recorder, clock: FastClock, asked: list[Asked], bundle: tuple[str, str]) -> None:
        self._recorder = recorder
        self._clock = clock
        self._asked = asked
        self._bundle, self._digest = bundle
        self._sessions: list[Session] = []
        self._beat_ns = clock.now
        self._rng = random.Random("a million")  # noqa: S311 -- the same every time

    async def decide(self, number: int, step_ns: int) -> None:
        """One decision and its outcome, by an agent whose turn it is."""
        while self._clock.now - self._beat_ns >= _BEAT_NS:
            self._beat_ns += _BEAT_NS
            self._recorder.beat()
        asked = self._asked[number * 7919 % len(self._asked)]
        session = await self._session(number % SESSIONS_AT_ONCE, asked.who)
        did = new_id(self._clock)
        await self._recorder.append(self._decided(session, asked, did))
        self._clock.now += min(step_ns // 2, 3_000_000)
        if asked.ok:
            await self._recorder.append(_finished(session, asked, did, self._rng))
        session.left -= 1
        self._clock.now += step_ns - min(step_ns // 2, 3_000_000)

    async def end(self) -> None:
        """Every session ends."""
        for session in self._sessions:
            await self._recorder.append(_closed(session))

    async def _session(self, place: int, who: Who) -> Session:
        """The session that has this place, or the next one."""
        if place < len(self._sessions) and self._sessions[place].left:
            return self._sessions[place]
        session = Session(new_id(self._clock), who)
        if place < len(self._sessions):
            await self._recorder.append(_closed(self._sessions[place]))
            self._sessions[place] = session
        else:
            self._sessions.append(session)
        facts: dict[str, object] = {
            "application": "bench",
            "channel": "postgres",
            "client_ip": "127.0.0.1",
            "tls": True,
        }
        opened = Event(type=EventType.SESSION_OPENED, sid=session.sid, who=who, res="payments", data=facts)
        await self._recorder.append(opened)
        return session

    def _decided(self, session: Session, asked: Asked, did: str) -> Event:
        return Event(
            type=EventType.STATEMENT_DECIDED,
            sid=session.sid,
            did=did,
            who=asked.who,
            res=asked.connection,
            act=asked.action,
            ok=asked.ok,
            outcome=asked.outcome,
            bundle=self._bundle,
            policy_digest=self._digest,
            engine=EmbeddedEngine.name,
            catalog=f"sha256:{'c' * 64}",
            plan=f"sha256:{'d' * 64}" if asked.ok else "",
            mac=self._recorder.mac(did.encode()),
            data={"phase": "query"},
            bodies={"in": asked.document, "out": asked.answer},
        )


def _finished(session: Session, asked: Asked, did: str, rng: random.Random) -> Event:
    rows = rng.randrange(500)
    facts: dict[str, object] = {
        "phase": "query",
        "outcome": "done",
        "rows": rows,
        "bytes": rows * 61,
        "us": rng.randrange(400, 90_000),
        "tag": f"SELECT {rows}",
    }
    return Event(
        type=EventType.STATEMENT_FINISHED,
        sid=session.sid,
        did=did,
        res=asked.connection,
        act=asked.action,
        outcome="done",
        data=facts,
    )


def _closed(session: Session) -> Event:
    facts: dict[str, object] = {"reason": "client.terminated", "statements": STATEMENTS - session.left}
    return Event(type=EventType.SESSION_CLOSED, sid=session.sid, who=session.who, res="payments", data=facts)


def questions(count: int) -> Iterator[Asked]:
    """Documents of the demo bundle's vectors and what it answers."""
    candidate = Candidate(read_bundle_files(DEMO))
    for document in documents(count):
        answer = candidate.raw(document)
        said, outcome = msgspec.json.decode(document), msgspec.json.decode(answer)["outcome"]
        who = Who(id=said["subject"]["id"], issuer=said["subject"].get("issuer", ""))
        action, connection = said["action"]["name"], said["resource"]["connection"]
        yield Asked(document, answer, who, connection, action, outcome, outcome in {"allow", "mask"})


def activated(bundle: str, digest: str, raw: bytes) -> Event:
    """The leaf of a bundle that is brought into force, as the gateway writes it."""
    revision = read_contents(read_archive(raw)).revision
    data: dict[str, object] = {"revision": revision, "reason": "start"}
    return Event(type=EventType.BUNDLE_ACTIVATED, bundle=bundle, policy_digest=digest, data=data)


async def write(
    folder: Path, decisions: int, *, days: float = 1, now_ns: int | None = None, different: int = QUESTIONS
) -> None:
    """Fill a folder with a closed log whose last leaf is of now, and whose first is `days` older."""
    raw = DEMO.read_bytes()
    bundle, digest = f"sha256:{BundleStore(folder).keep(raw)}", f"sha256:{policy_digest(read_bundle_files(DEMO))}"
    step_ns = int(days * _DAY_NS) // decisions
    clock = FastClock((time.time_ns() if now_ns is None else now_ns) - step_ns * decisions)
    asked = list(questions(min(different, decisions)))
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600, name="log.bench")
    await recorder.append(activated(bundle, digest, raw))
    writer = Writer(recorder, clock, asked, (bundle, digest))
    for number in range(decisions):
        await writer.decide(number, step_ns)
        if number % PUBLISH_EVERY == 0:
            await recorder.checkpoint()
    await writer.end()
    await recorder.close()
    (folder / "decisions").write_text(str(decisions), encoding="ascii")


def holds(folder: Path, decisions: int) -> bool:
    """Whether a folder was filled with as many before."""
    note = folder / "decisions"
    return note.exists() and note.read_text(encoding="ascii") == str(decisions)


def ensure(folder: Path, decisions: int, *, days: float = 1, different: int = QUESTIONS) -> float:
    """Fill the folder unless it is; how long that took, in seconds."""
    if holds(folder, decisions):
        return 0.0
    started = time.monotonic()
    asyncio.run(write(folder, decisions, days=days, different=different))
    return time.monotonic() - started


def main(arguments: list[str]) -> None:
    """Write, and say what there is."""
    folder = Path(arguments[0])
    decisions = int(arguments[1]) if len(arguments) > 1 else 1_000_000
    seconds = ensure(folder, decisions, days=float(arguments[2]) if len(arguments) > 2 else 1)
    files = [entry.stat() for place, _, names in os.walk(folder) for entry in map(Path(place).joinpath, names)]
    size = sum(stat.st_size for stat in files)
    print(f"{decisions:,} decisions in {folder}: {size / 1e6:,.0f} MB in {len(files):,} files, {seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
