"""Two days of a gateway with the demo's bundle: every kind of decision, and what a digest must point at."""

import asyncio
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from gateway.cli.audit.exporting.drawing import Asked, Drawn, draw
from gateway.cli.audit.exporting.extras import Extras
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.recompute import Archived
from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.core.principal import Principal
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period
from gateway.evidence.recorder import Recorder
from gateway.policy.archive import read_archive
from gateway.policy.bundle import read_contents
from gateway.policy.document import Request, Scribe
from gateway.policy.store import BundleStore
from tests.cli.audit.world import ARCHIVE
from tests.evidence.world import TickClock, closed, finished
from tests.policy.world import column, request

DAY = "2026-11-25"
NOON = 1_795_608_000 * 10**9
"""of that day, a Wednesday"""
ALWAYS = Period(0, 1 << 62)
HOSTILE = "<script>alert(1)</script>\u202e"
Ask = Callable[[Request], bytes]


class Days(NamedTuple):
    """The folder, and what is in it."""

    folder: Path
    bundle: str
    decisions: int


def asked(subject: str, *groups: str, action: str = "select", columns: tuple[str, ...] = ("pan",)) -> Request:
    """A question of an agent."""
    labels = {"pan": ("pan",), "cvv": ("cvv",)}
    made = request(*(column(name, *labels.get(name, ())) for name in columns), subject=subject)
    who = Principal(subject=subject, issuer="https://idp.test", groups=groups, expires_at=0)
    access = "read" if action in {"select", "copy_out"} else "write"
    relation = msgspec.structs.replace(made.statement.relations[0], access=(access,), labels=("cvv", "pan"))
    statement = msgspec.structs.replace(made.statement, action=action, relations=(relation,))
    context = (
        msgspec.structs.replace(made.context, reason="chargeback 4711") if "pan-readers" in groups else made.context
    )
    return msgspec.structs.replace(made, principal=who, statement=statement, context=context)


QUESTIONS = (
    asked("agent-7", "agents"),
    asked("agent-7", "agents", columns=("id",)),
    asked("agent-7", "agents", columns=("cvv", "pan")),
    asked("agent-7", "agents", action="copy_out"),
    asked("agent-7", "agents", action="delete"),
    asked("reader-1", "agents", "pan-readers"),
    asked("nobody-1"),
    asked(HOSTILE, "agents"),
)


@functools.cache
def bundle_and_answers() -> tuple[str, tuple[tuple[bytes, bytes], ...]]:
    """The demo's bundle asked every question: its sha256, (input, answer) of each."""
    raw = ARCHIVE.read_bytes()
    files = read_archive(raw)
    digest, bundle = hashlib.sha256(raw).hexdigest(), Archived(files)
    scribe = Scribe(read_contents(files).metadata.querywarden.reads, digest, "demo-1")
    documents = [scribe.write(question) for question in QUESTIONS]
    return digest, tuple((document, bundle.answer(document)) for document in documents)


def two_days(folder: Path, rounds: int = 2) -> Days:
    return asyncio.run(_two_days(folder, rounds))


async def _two_days(folder: Path, rounds: int) -> Days:
    digest, answers = bundle_and_answers()
    BundleStore(folder).keep(ARCHIVE.read_bytes())
    clock = TickClock(NOON - 86_400 * 10**9)
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600, name="log.test")
    facts: dict[str, object] = {"why": "start", "keyid": "k", "revision": "demo-1"}
    await recorder.append(Event(type=EventType.BUNDLE_ACTIVATED, bundle=f"sha256:{digest}", data=facts))
    for begin in (clock.now, NOON):
        clock.now = begin
        for number, question in enumerate(QUESTIONS):
            await _session(recorder, clock, question, [answers[number]] * rounds)
        await _mishaps(recorder)
    await recorder.close()
    return Days(folder, digest, 2 * rounds * len(QUESTIONS))


async def _session(recorder: Recorder, clock: TickClock, question: Request, answers: list[tuple[bytes, bytes]]) -> None:
    sid, digest = new_id(clock), bundle_and_answers()[0]
    who = Who(id=question.principal.subject, issuer="https://idp.test")
    data: dict[str, object] = {"groups": list(question.principal.groups)}
    await recorder.append(Event(type=EventType.SESSION_OPENED, sid=sid, who=who, res="payments", data=data))
    for document, answer in answers:
        did, outcome = new_id(clock), msgspec.json.decode(answer)["outcome"]
        await recorder.append(
            Event(
                type=EventType.STATEMENT_DECIDED, sid=sid, did=did, who=who, res="payments",
                act=question.statement.action, ok=outcome != "deny", outcome=outcome, bundle=f"sha256:{digest}",
                bodies={"in": document, "out": answer},
            )
        )  # fmt: skip
        if outcome != "deny":
            await recorder.append(finished(did, sid))
    await recorder.append(closed(sid))


async def _mishaps(recorder: Recorder) -> None:
    failed: dict[str, object] = {"code": "token.expired", "client_ip": "10.0.0.9"}
    for _ in range(6):
        await recorder.append(Event(type=EventType.AUTH_FAILED, ok=False, data=failed))
    degraded: dict[str, object] = {
        "cause": "ENOSPC",
        "start": str(NOON),
        "end": str(NOON + 10**9),
        "refused": 3,
        "lost": 0,
    }
    await recorder.append(Event(type=EventType.LOG_DEGRADED, ok=False, data=degraded))
    stop: dict[str, object] = {"kind": "everything", "reason": "drill"}
    await recorder.append(Event(type=EventType.POLICY_STOPPED, who=Who(id="alice"), data=stop))


def drawn_of(folder: Path, scratch: Path, *, seed: str = "", each: int = 3) -> Drawn:
    return draw(take(folder, ALWAYS), Asked("export", "", seed, each), scratch)


def material_of(drawn: Drawn, extras: Extras | None = None) -> Material:
    from gateway.cli.audit.exporting import material_of as made  # noqa: PLC0415 -- the command's own

    return made(drawn, extras or Extras({}, {}))
