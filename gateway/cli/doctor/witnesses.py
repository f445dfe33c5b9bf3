"""The log's witnesses: whether each answers, and how far it has cosigned. What they are asked changes nothing there."""

import asyncio
from pathlib import Path
from typing import Final

from gateway.cli.doctor.result import Result, Status
from gateway.config import settings as s
from gateway.core.clock import Clock
from gateway.evidence.cosign import Cosigned, WitnessKey
from gateway.evidence.cosigned import last_cosigned
from gateway.evidence.reader import open_epochs
from gateway.evidence.witness import MEANING, Answer
from gateway.evidence.witness_http import Address, Line

PROBE: Final = "witness"
OLD_SECONDS: Final = 3600
"""a last cosignature older than this is worth a note"""
_UNDERSTOOD: Final = frozenset({400, 404, 409, 422})
"""what a witness says to a question without a checkpoint"""
_NS: Final = 1_000_000_000


async def look(settings: s.Settings, clock: Clock) -> list[Result]:
    """Each of them; without one a note."""
    if not settings.evidence.witnesses:
        text = "none configured: whoever has the log's key can rewrite the log"
        return [Result(probe=PROBE, about="", status=Status.NOTE, text=text)]
    return list(await asyncio.gather(*(_one(each, settings.data_dir, clock) for each in settings.evidence.witnesses)))


async def _one(witness: s.Witness, data_dir: Path, clock: Clock) -> Result:
    line = Line(Address(witness.url, witness.timeout, witness.ca))
    try:
        answer = await line.post(b"")  # no checkpoint in it: nothing to cosign
    finally:
        await line.close()
    if not isinstance(answer, Answer):
        return _result(witness, Status.UNREACHABLE, MEANING[answer.why], "Look at the address, or ask its operator.")
    if answer.status not in _UNDERSTOOD:
        text = f"it answers {answer.status}, as no witness would"
        return _result(witness, Status.NO, text, "Compare evidence.witnesses[].url with what the witness publishes.")
    key = WitnessKey.decode(witness.key)
    return _told(witness, await asyncio.to_thread(_last, data_dir, key), clock)


def _told(witness: s.Witness, last: Cosigned | None, clock: Clock) -> Result:
    if last is None:
        remedy = "Give its operator the log's public key, keys/log-<epoch>.pub; serve says what it answers."
        return _result(witness, Status.NOTE, "it answers; it has cosigned nothing yet", remedy)
    age = max(0, clock.now_ns() // _NS - last.by[0].at)
    text = f"it answers; it cosigned {last.checkpoint.size} leaves {age} s ago"
    return _result(witness, Status.NOTE if age > OLD_SECONDS else Status.FINE, text)


def _last(data_dir: Path, key: WitnessKey) -> Cosigned | None:
    """Of the newest epoch that it has cosigned."""
    for reader in reversed(open_epochs(data_dir)):
        try:
            found = last_cosigned(reader.prefix, reader.verifier, key)
        except (OSError, ValueError):
            continue
        if found is not None:
            return found
    return None


def _result(witness: s.Witness, status: Status, text: str, remedy: str = "") -> Result:
    return Result(probe=PROBE, about=witness.url, status=status, text=text, remedy=remedy)
