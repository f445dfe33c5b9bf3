"""From `evidence.anchors` to the client that has checkpoints time-stamped: checks of the settings, wiring, numbers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Final

from cryptography import x509

from gateway.config import settings as s
from gateway.config.checks import Remark, check_authority
from gateway.config.document import Place
from gateway.config.policies import host_of
from gateway.config.quantities import Duration
from gateway.core.clock import Clock
from gateway.core.errors import ConfigError
from gateway.core.events import Event
from gateway.evidence.anchor import MISSING, QUERY, is_available, read_roots
from gateway.evidence.anchoring import Anchoring, Authority
from gateway.evidence.recorder import Recorder
from gateway.evidence.witness_http import Address, Line, at_work
from gateway.frontends.http.state import Family

_EVERY: Final = (Duration(60), Duration(7 * 86400))
_TIMEOUT: Final = (Duration(0.1), Duration(300))


def check_anchors(evidence: s.Evidence) -> Iterator[Remark]:
    """Addresses one can ask, roots one can believe, and the package that speaks their protocol."""
    for index, anchor in enumerate(evidence.anchors):
        place: Place = ("evidence", "anchors", index)
        if not anchor.url.startswith(("https://", "http://")) or not host_of(anchor.url):
            yield Remark((*place, "url"), "not an address: write http://host/path, without a user name")
        yield from check_authority(anchor.ca, (*place, "ca"))
        if not _EVERY[0] <= anchor.every <= _EVERY[1]:
            yield Remark((*place, "every"), "must be between 1m and 7d")
        if not _TIMEOUT[0] <= anchor.timeout <= _TIMEOUT[1]:
            yield Remark((*place, "timeout"), "must be between 100ms and 5m")
    if evidence.anchors and not is_available():
        yield Remark(("evidence", "anchors"), MISSING)


def anchor_roots(evidence: s.Evidence) -> tuple[x509.Certificate, ...]:
    """The roots of every authority. Raises ConfigError, OSError."""
    try:
        return tuple(root for each in evidence.anchors for root in read_roots(each.ca.read_bytes()))
    except ValueError:
        raise ConfigError("config.invalid", "evidence.anchors: certificates cannot be read") from None


@asynccontextmanager
async def anchored(
    settings: s.Settings, recorder: Recorder, note: Callable[[Event], Awaitable[None]], clock: Clock
) -> AsyncIterator[Anchoring]:
    """The log's checkpoints are time-stamped while the block runs. Raises ConfigError, OSError."""
    configured = settings.evidence.anchors
    lines = [Line(Address(each.url, each.timeout), method="", kind=QUERY) for each in configured]
    authorities = [
        Authority(each.url, read_roots(each.ca.read_bytes()), each.every, line.post)
        for each, line in zip(configured, lines, strict=True)
    ]
    client = Anchoring(settings.data_dir, recorder.epoch, authorities, note, clock)
    async with at_work(client.run, lines):
        yield client


def anchor_families(client: Anchoring) -> list[Family]:
    """How old the last time-stamps are."""
    if not client.authorities:
        return []
    text = "Since the authority's last time-stamp; none before the first."
    return [Family("querywarden_anchor_age_seconds", text, client.ages, "authority")]
