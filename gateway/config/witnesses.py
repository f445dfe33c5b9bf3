"""From `evidence.witnesses` to the client that asks them: checks of the settings, wiring, and its numbers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from gateway.config import settings as s
from gateway.config.checks import Remark, check_authority, check_secret
from gateway.config.document import Place
from gateway.config.policies import host_of
from gateway.config.quantities import Duration, is_loopback
from gateway.core.clock import Clock
from gateway.core.events import Event
from gateway.evidence.cosign import WitnessKey
from gateway.evidence.note import NoteError
from gateway.evidence.recorder import Recorder
from gateway.evidence.witness_http import Address, Line, at_work
from gateway.evidence.witnessing import Watched, Witness, Witnessing
from gateway.frontends.http.state import Family

_INTERVAL: Final = (Duration(1), Duration(3600))
_TIMEOUT: Final = (Duration(0.1), Duration(60))
_PLACE: Final = ("evidence", "witnesses")
_METHOD: Final = "/add-checkpoint"


def check_witnesses(evidence: s.Evidence) -> Iterator[Remark]:
    """Addresses one can ask, keys that are keys of witnesses, each once."""
    seen: set[str] = set()
    for index, witness in enumerate(evidence.witnesses):
        place: Place = (*_PLACE, index)
        yield from _check_address(witness.url, (*place, "url"))
        if witness.ca is not None:
            yield from check_authority(witness.ca, (*place, "ca"))
        if not _TIMEOUT[0] <= witness.timeout <= _TIMEOUT[1]:
            yield Remark((*place, "timeout"), "must be between 100ms and 1m")
        try:
            name = WitnessKey.decode(witness.key).name
        except NoteError as error:
            yield Remark((*place, "key"), str(error))
            continue
        if name in seen:
            yield Remark((*place, "key"), f"{name} stands here twice")
        seen.add(name)
    if not _INTERVAL[0] <= evidence.witness_interval <= _INTERVAL[1]:
        yield Remark(("evidence", "witness_interval"), "must be between 1s and 1h")
    if evidence.publish.token is not None:
        yield from check_secret(evidence.publish.token, ("evidence", "publish", "token"))


def _check_address(url: str, place: Place) -> Iterator[Remark]:
    host = host_of(url)
    if not url.startswith(("https://", "http://")) or not host or "?" in url:
        yield Remark(place, "not an address: write https://host/path, without a user name")
    elif url.rstrip("/").endswith(_METHOD):
        yield Remark(place, f"write the prefix, without {_METHOD}")
    elif url.startswith("http://") and not is_loopback(host):
        yield Remark(place, "http: others can hold back the question or the answer on its way", warning=True)


def witness_keys(evidence: s.Evidence) -> tuple[WitnessKey, ...]:
    """The configured keys. Raises NoteError; settings that were loaded have good ones."""
    return tuple(WitnessKey.decode(witness.key) for witness in evidence.witnesses)


@asynccontextmanager
async def witnessed(
    settings: s.Settings, recorder: Recorder, note: Callable[[Event], Awaitable[None]], clock: Clock
) -> AsyncIterator[Witnessing]:
    """The log's checkpoints are cosigned while the block runs."""
    lines = [Line(Address(each.url, each.timeout, each.ca)) for each in settings.evidence.witnesses]
    keys = witness_keys(settings.evidence)
    client = Witnessing(
        Watched(settings.data_dir, recorder.epoch, recorder.endorse),
        [Witness(key, line.post) for key, line in zip(keys, lines, strict=True)],
        note,
        clock,
        settings.evidence.witness_interval,
    )
    async with at_work(client.run, lines):
        yield client


def witness_families(client: Witnessing, recorder: Recorder) -> list[Family]:
    """How far behind each witness is, and what they answered."""
    if not client.witnesses:
        return []
    return [
        Family(
            "querywarden_witness_lag_leaves", "Leaves signed since the witness's last cosignature.",
            lambda: {name: float(max(0, recorder.published - size)) for name, size in client.sizes().items()},
            "witness",
        ),
        Family(
            "querywarden_witness_age_seconds", "Since the witness's last cosignature; none before the first.",
            client.ages, "witness",
        ),
        Family(
            "querywarden_witness_answers", "What witnesses answered; all but `cosigned` is trouble.",
            client.answers, "result", counter=True,
        ),
    ]  # fmt: skip
