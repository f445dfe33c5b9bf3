"""Reviews of days: leaves `review.signed`, wherever in the log they stand. A day is signed off after it is over."""

from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.core.events import EventType
from gateway.evidence.package.building import Taken
from gateway.evidence.package.snapshot import Snapshot
from gateway.evidence.package.verifier.findings import mapping, text
from gateway.evidence.package.verifier.story import Leaf
from gateway.evidence.tiles import WIDTH

REVIEWED: Final = EventType.REVIEW_SIGNED
_MARK: Final = f'"type":"{REVIEWED}"'.encode()


class SignOff(msgspec.Struct, frozen=True, kw_only=True):
    """Who reviewed a day."""

    day: str
    who: str
    reason: str
    until: str
    """up to when the digest went"""
    digest: str
    """`sha256:…` of the digest that was shown"""
    epoch: int
    leaf: int


def sign_offs(taken: Taken) -> Iterator[SignOff]:
    """From the begin of the period to the end of what is signed. Raises OSError, ValueError."""
    for snapshot, span in taken.epochs:
        for leaf in _marked(snapshot, span.first):
            facts, who = leaf.facts(), mapping(leaf.said.get("who"))
            yield SignOff(
                day=text(facts.get("day")),
                who=text(who.get("on_behalf_of")) or text(who.get("id")),
                reason=text(facts.get("reason")),
                until=text(facts.get("until")),
                digest=text(facts.get("digest")),
                epoch=leaf.epoch,
                leaf=leaf.at,
            )


def _marked(snapshot: Snapshot, first: int) -> Iterator[Leaf]:
    for block in range(max(first, snapshot.reader.begin) // WIDTH, snapshot.blocks):
        for at, raw in enumerate(snapshot.entries(block), block * WIDTH):
            if at >= first and _MARK in raw:
                yield Leaf(snapshot.epoch, at, raw, msgspec.json.decode(raw, type=dict[str, object]))
