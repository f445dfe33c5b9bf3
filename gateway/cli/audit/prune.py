"""`querywarden audit prune`: what is older than it must be kept goes, recorded; nothing is removed unless told so."""

import asyncio
import datetime as dt
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from gateway.cli.audit.desk import DEFAULT_CONFIG, FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, data_folder
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import instant, moment, printable, rows
from gateway.cli.person import whoami
from gateway.config.keeping import in_a_line
from gateway.config.load import load
from gateway.config.settings import Retention
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError, Unavailable
from gateway.core.ids import new_id
from gateway.evidence.pruning import Order as Why
from gateway.evidence.pruning import prune as remove
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.aging import remove_older
from gateway.evidence.retention import Pruning, plan
from gateway.policy.orders import Answer, Order, Prune, Tray

WAIT_SECONDS: Final = 3600.0
LOOK_SECONDS: Final = 0.05


BeforeOption: TypeAlias = Annotated[
    str,
    Parameter(
        name="--before",
        help="Everything older: a time like 2026-01-01 or an age like 400d. Default: evidence.retention.total.",
    ),
]
LegalOption: TypeAlias = Annotated[
    str,
    Parameter(name="--legal-reason", help="Why it must go before its time. It is recorded, with who you are."),
]


def prune(  # noqa: PLR0913, D417 -- options that say themselves what they are
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    before: BeforeOption = "",
    legal_reason: LegalOption = "",
    now: Annotated[bool, Parameter(name="--remove", negative="", help="Remove it.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Say what would go, or with --remove remove it: old leaves and the documents only they name.

    Hashes stay, so the log still verifies and proofs of other leaves hold. It is recorded before anything goes. A
    gateway that runs does it itself, told by an order; it also does it every hour for what is older than
    evidence.retention.total.

    Parameters
    ----------
    config
        The configuration file, which names the data folder and how long evidence is kept. Default: gateway.yaml.
    data
        The data folder itself.
    as_json
        Print as JSON.

    """
    folder, total_ns, clock = data_folder(config, data), _retention(config, data).total.ns, SystemClock()
    now_ns = clock.now_ns()
    before_ns = instant(before, now_ns, "--before") if before else now_ns - total_ns
    if before_ns > now_ns - total_ns and not legal_reason.strip():
        raise ConfigError("config.invalid", "that is inside evidence.retention.total: give --legal-reason")
    if not now:
        return _show(plan(folder, before_ns), as_json=as_json)
    wish = Prune(before_ns=before_ns, legal=bool(legal_reason.strip()))
    answer = _ordered(folder, wish, legal_reason.strip() or "older than it must be kept")
    if as_json:
        sys.stdout.write(written({"done": answer.ok, "code": answer.code, "says": answer.text}))
    else:
        sys.stdout.write(f"{printable(answer.text)}\n")
    return FINE if answer.ok else SAYS_NO


def _retention(config: Path | None, data: Path | None) -> Retention:
    if data is not None:
        return Retention()
    return load(config or DEFAULT_CONFIG).evidence.retention


def _show(parts: Sequence[Pruning], *, as_json: bool) -> int:
    if as_json:
        found = [{**_plain(part), "bodies": len(part.bodies)} for part in parts]
        sys.stdout.write(written({"removed": False, "epochs": found}))
        return FINE
    for part in parts:
        size = (part.entries_bytes + part.bodies_bytes) / 1e6
        sys.stdout.write(
            rows(
                [
                    ("epoch", str(part.epoch)),
                    ("leaves", f"{part.begin:,} to {part.size - 1:,}, the youngest of {moment(part.until_ns)}"),
                    ("documents", f"{len(part.bodies):,} that no other leaf names"),
                    ("frees", f"{size:,.1f} MB"),
                ]
            )
            + "\n"
        )
    sys.stdout.write("nothing was removed; --remove does it\n" if parts else "nothing to prune\n")
    return FINE


def _plain(part: Pruning) -> dict[str, object]:
    return {name: getattr(part, name) for name in part.__struct_fields__ if name not in {"kept", "bodies"}}


def _ordered(data_dir: Path, wish: Prune, reason: str) -> Answer:
    """By the gateway that runs; by ourselves when none does. Raises Unavailable, OSError, ValueError."""
    tray, clock = Tray(data_dir), SystemClock()
    at = dt.datetime.fromtimestamp(clock.now_ns() // 10**9, tz=dt.UTC)
    order = Order(id=new_id(clock), by=whoami(), reason=reason, at=f"{at:%Y-%m-%dT%H:%M:%SZ}", command=wish)
    if not tray.attended():
        return asyncio.run(_by_hand(data_dir, order, wish))
    tray.place(order)
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until and tray.attended():
        if (answer := tray.answer(order.id)) is not None:
            return answer
        time.sleep(LOOK_SECONDS)
    answer = tray.withdraw(order.id)
    if answer is None:
        raise Unavailable("evidence.unavailable", "the gateway does not answer; the log says whether it was done")
    return answer


async def _by_hand(data_dir: Path, order: Order, wish: Prune) -> Answer:
    recorder = await Recorder.open(data_dir, SystemClock())

    async def planner() -> Sequence[Pruning]:
        return await asyncio.to_thread(plan, data_dir, wish.before_ns)

    try:
        done = await remove(recorder, data_dir, planner, Why(order.reason, order.by, legal=wish.legal))
        for part in done:
            await asyncio.to_thread(remove_older, data_dir, part.until_ns)
    finally:
        await recorder.close()
    return Answer(ok=True, text=in_a_line(done))
