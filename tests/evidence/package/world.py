"""Packages of small logs, made as `audit export` makes them but without policy."""

import asyncio
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec

from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.evidence.keys import load_keys, public_key
from gateway.evidence.package.building import Package, Taken, build, fixing_leaf, take, take_again
from gateway.evidence.package.population import Fixed, Period, decisions, draw_sample, write_population
from gateway.evidence.package.verifier.command import Verification, verify_package
from gateway.evidence.package.verifier.findings import NOTES, text
from gateway.evidence.package.verifier.signed import Key
from gateway.evidence.package.verifier.story import Leaf
from gateway.evidence.package.zipped import Content
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.format import END, KEY_SIZE, Header, Sealer, encode_header
from gateway.evidence.recording.places import key_path, recording_path
from gateway.evidence.scrub import canonical
from tests.evidence.world import TEXTS, TickClock, closed, decided, finished, opened

ALWAYS = Period(0, 1 << 62)
BUNDLE = b"a bundle"


def write_log(data_dir: Path, sessions: int = 30, statements: int = 12, clock: TickClock | None = None) -> None:
    """A log that was opened, used and closed, twice: the second run has the last third of the sessions."""
    ticks = clock or TickClock()
    named = f"sha256:{hashlib.sha256(BUNDLE).hexdigest()}"

    async def run(count: int) -> None:
        recorder = await Recorder.open(data_dir, ticks, checkpoint_interval=3600, name="log.test")
        for _ in range(count):
            sid = new_id(ticks)
            await recorder.append(opened(sid))
            for number in range(statements):
                did, ok, text = new_id(ticks), number % 3 != 2, TEXTS[number % 5]
                event = decided(did, sid, ok=ok, text=text, connection="payments" if number % 2 else "ledger")
                await recorder.append(msgspec.structs.replace(event, bundle=named))
                if ok:
                    await recorder.append(finished(did, sid))
            for facts in record(data_dir, sid):
                await recorder.append(Event(type=EventType.RECORDING_SEALED, sid=sid, res="payments", data=facts))
            await recorder.append(closed(sid))
        await recorder.close()

    asyncio.run(run(sessions - sessions // 3))
    asyncio.run(run(sessions // 3))


def record(data_dir: Path, sid: str) -> list[dict[str, object]]:
    """A recording of two segments; what the log says of each."""
    header = Header(v=1, sid=sid, connection="payments", protocol="postgres", content="full", started="1")
    front = encode_header(header)
    sealer = Sealer(b"k" * KEY_SIZE, sid, front)
    segments = [sealer.seal(b"a query" * 20), sealer.seal(b"{}", kind=END)]
    path = recording_path(data_dir, sid)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(front + b"".join(segments))
    key_path(path).write_bytes(b"wrapped")
    hashes = [{"segment": n, "sha256": hashlib.sha256(raw).hexdigest()} for n, raw in enumerate(segments)]
    return [{**hashes[0], "front": hashlib.sha256(front).hexdigest()}, {**hashes[1], "end": True}]


class Counts:
    """Decisions by outcome."""

    def __init__(self, period: Period) -> None:
        self.by: dict[str, int] = {}
        self._period = period

    def see(self, leaf: Leaf) -> None:
        if leaf.kind == "statement.decided" and self._period.holds(leaf):
            outcome = text(leaf.said.get("outcome"))
            self.by[outcome] = self.by.get(outcome, 0) + 1

    def summary(self) -> bytes:
        return canonical({"decisions": {"total": sum(self.by.values()), "by_outcome": self.by}})


def fix(data_dir: Path, fixed: Fixed, clock: TickClock) -> None:
    """Record the population, as the command does through `note_access`."""

    async def write() -> None:
        recorder = await Recorder.open(data_dir, clock, checkpoint_interval=3600)
        facts: dict[str, object] = {"arguments": {"population": f"sha256:{fixed.sha256}"}}
        await recorder.append(Event(type=EventType.EVIDENCE_ACCESSED, act="export", who=Who(id="alice"), data=facts))
        await recorder.close()

    asyncio.run(write())


def packed(  # noqa: PLR0913 -- what a test may say otherwise
    data_dir: Path, output: Path, period: Period = ALWAYS, *, seed: str = "", more: Mapping[str, Content] | None = None,
    clock: TickClock | None = None, per_stratum: int = 3,
) -> Taken:  # fmt: skip
    """Make a package; the log goes on by the leaf that fixes the population."""
    taken = take(data_dir, period)
    counts = Counts(taken.period)
    fixed = write_population(output.with_suffix(".csv"), decisions(taken.epochs, taken.period, counts.see))
    fix(data_dir, fixed, clock or TickClock(taken.newest.last_ns()))
    return _finish(taken, fixed, counts, output, seed=seed, more=more, per_stratum=per_stratum)


def built(data_dir: Path, output: Path, period: Period = ALWAYS, seed: str = "theirs") -> Taken:
    """A package of a log that does not go on by it, as of a copy."""
    taken = take(data_dir, period)
    counts = Counts(taken.period)
    fixed = write_population(output.with_suffix(".csv"), decisions(taken.epochs, taken.period, counts.see))
    return _finish(taken, fixed, counts, output, seed=seed, more=None, per_stratum=3)


def _finish(  # noqa: PLR0913 -- what a test may say otherwise
    taken: Taken,
    fixed: Fixed,
    counts: Counts,
    output: Path,
    *,
    seed: str,
    more: Mapping[str, Content] | None,
    per_stratum: int,
) -> Taken:
    now = take_again(taken)
    own = fixing_leaf(taken, now, fixed)
    kind: dict[str, object] = {"kind": "assessor"} if seed else {"kind": "checkpoint"}
    sample = draw_sample(fixed, seed or now.newest.tree.root.hex(), kind, per_stratum)
    package = Package(
        taken=now, fixed=fixed, own=own, sample=sample, page=b"# page\n", facts={}, made_by="tests",
        more={
            "report/summary.json": counts.summary,
            f"policies/{hashlib.sha256(BUNDLE).hexdigest()}/bundle.tar.gz": lambda: BUNDLE,
            **(more or {}),
        },
    )  # fmt: skip
    build(package, output, load_keys(taken.data_dir / "keys", now.newest.epoch).signer)
    return now


def key_of(data_dir: Path, epoch: int = 1) -> str:
    return public_key(data_dir / "keys", epoch).read_text("utf-8")


def verified(package: Path, key: str = "") -> Verification:
    return verify_package(package, [key] if key else [], [])


def verified_bytes(package: bytes, key: str) -> Verification:
    found = Verification(io.BytesIO(package), [Key(key)], [], "", lambda _done, _total: None)
    found.run()
    return found


def wrong(found: Verification) -> list[str]:
    """Names of what does not hold."""
    return sorted({finding.name for finding in found.findings} - NOTES)
