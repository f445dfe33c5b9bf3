"""Reading evidence is evidence: each search, explanation, replay and export by a person is a leaf of the log it reads.

A gateway that runs records it, told by an order in its data folder; when none runs, the command opens the log itself.
It is recorded before anything is shown, and what cannot be recorded is not shown. Only a copy (no key to sign with, or
nothing may be written) is read without a record, and the command says so.
"""

import asyncio
import datetime as dt
import fcntl
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import msgspec
from cyclopts import Parameter

from gateway.cli.person import as_owner, whoami
from gateway.core.clock import Clock, SystemClock
from gateway.core.errors import Unavailable
from gateway.core.ids import new_id
from gateway.evidence.keys import epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.scrub import scrub_text
from gateway.policy.orders import Accessed, Answer, Order, Reviewed, Shred, Tray
from gateway.policy.readings import reading_event

WAIT_SECONDS: Final = 10.0
"""for the gateway's answer, or for another command to let go of the log"""
LOOK_SECONDS: Final = 0.02
MAX_TEXT: Final = 400
"""characters of one argument that are kept"""
MAX_BYTES: Final = 1000
"""and how long they may be as JSON"""

AsOption: TypeAlias = Annotated[
    str, Parameter(name="--as", help="Who you are, when several people share this account: it is recorded.")
]


def note_access(
    data_dir: Path, what: str, detail: Mapping[str, object], *, results: int | None = None, person: str = ""
) -> bool:
    """Record that a person reads evidence. Call it when the answer is known, and before it is shown.

    `what` is the command (`search`), `detail` what it was asked for: card numbers in it are blanked, what is empty is
    left out. `person` is the one who says to be typing. False when the data is a copy, which is said on stderr.
    Raises Unavailable("evidence.access_unrecorded").
    """
    if _is_copy(data_dir):
        sys.stderr.write("this is a copy that cannot be written to: that it was read is not recorded\n")
        return False
    arguments = {name: _text(value) for name, value in detail.items() if _given(value)}
    command = Accessed(what=what, arguments=arguments, results=results, person=_text(person))
    _record(Tray(data_dir), data_dir, command, f"audit {what}")
    return True


def note_shred(data_dir: Path, session: str, reason: str, *, legal: str = "", person: str = "") -> None:
    """Record that a recording's key is being destroyed. Raises Unavailable when it cannot be; then leave it."""
    if _is_copy(data_dir):
        raise Unavailable("evidence.access_unrecorded", "this is a copy: nothing is destroyed")
    command = Shred(session=session, legal=_text(legal), person=_text(person))
    _record(Tray(data_dir), data_dir, command, _text(reason))


def note_review(data_dir: Path, review: Reviewed, reason: str) -> None:
    """Record that a person has looked at a day. Raises Unavailable when it cannot be."""
    if _is_copy(data_dir):
        raise Unavailable("evidence.access_unrecorded", "this is a copy: sign off where the log is")
    clean = msgspec.structs.replace(review, person=_text(review.person))
    _record(Tray(data_dir), data_dir, clean, _text(reason))


def _record(tray: Tray, data_dir: Path, command: Accessed | Shred | Reviewed, reason: str) -> None:
    clock, until, why = SystemClock(), time.monotonic() + WAIT_SECONDS, ""
    order = _order(command, reason, clock)
    while time.monotonic() < until:
        if tray.attended():
            answer = _by_order(tray, order, until)
            if answer is not None and answer.ok:
                return
            why = f"{answer.code}: {answer.text}" if answer else "the gateway does not answer"
        else:
            try:
                with as_owner(data_dir):
                    asyncio.run(_by_hand(data_dir, order, command, clock))
            except Unavailable as error:
                why = error.detail or error.code
            else:
                return
        time.sleep(LOOK_SECONDS)
    raise Unavailable("evidence.access_unrecorded", f"nothing is shown, because this access cannot be recorded: {why}")


def _by_order(tray: Tray, order: Order, until: float) -> Answer | None:
    """The gateway's answer; None when it went away, or is silent. The order is taken back then."""
    try:
        tray.place(order)
        while time.monotonic() < until:
            if (answer := tray.answer(order.id)) is not None:
                return answer
            if not tray.attended():
                break
            time.sleep(LOOK_SECONDS)
        return tray.withdraw(order.id)
    except OSError as error:
        return Answer(ok=False, code="evidence.access_unrecorded", text=error.strerror or type(error).__name__)


async def _by_hand(data_dir: Path, order: Order, command: Accessed | Shred | Reviewed, clock: Clock) -> None:
    """Open the log, as the gateway would. Raises Unavailable."""
    recorder = await Recorder.open(data_dir, clock)
    try:
        await recorder.append(reading_event(order, command))
    finally:
        await recorder.close()


def _order(command: Accessed | Shred | Reviewed, reason: str, clock: Clock) -> Order:
    now = dt.datetime.fromtimestamp(clock.now_ns() // 10**9, tz=dt.UTC)
    at = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    return Order(id=new_id(clock), by=whoami(), reason=reason, at=at, command=command)


def _is_copy(data_dir: Path) -> bool:
    """Whether nobody could go on with this log here: its key is not there, or nothing can be written and nobody does.

    Without this a copy that an auditor was given would get a new epoch, or leaves that the real log does not have.
    """
    if _is_written(data_dir):
        return False
    newest = max((int(path.name) for path in (data_dir / "log").glob("*") if path.name.isdecimal()), default=0)
    keyless = not newest or newest > max(epochs(data_dir / "keys"), default=0)
    return keyless or not os.access(data_dir / "log" / str(newest), os.W_OK)


def _is_written(data_dir: Path) -> bool:
    """Whether a gateway writes this log now."""
    try:
        descriptor = os.open(data_dir / "log" / "lock", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _given(value: object) -> bool:
    return value is not None and value is not False and value not in ("", ())


def _text(value: object) -> str:
    """Of a length with which three of them fit into a leaf, however they are escaped there."""
    text = scrub_text(str(value))[0]
    kept = text[:MAX_TEXT]
    while len(msgspec.json.encode(kept)) > MAX_BYTES:
        kept = kept[: len(kept) * 9 // 10]
    return kept if kept == text else f"{kept}…"
