"""`querywarden policy shadow`: what a candidate would have decided otherwise, as the log has it."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.desk import reading
from gateway.cli.audit.words import instant, printable
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.view import open_views

NO_CHANGE, CHANGES = 0, 1
_MARK: Final = b'"shadow":{'


class Said(msgspec.Struct, frozen=True):
    """What stands in a leaf about the candidate."""

    bundle: str
    outcome: str
    change: str = ""
    codes: tuple[str, ...] = ()


class _Facts(msgspec.Struct, frozen=True):
    shadow: Said | None = None


class Seen(NamedTuple):
    """One decision with the candidate's beside it."""

    did: str
    who: str
    connection: str
    action: str
    outcome: str
    said: Said


def shadow(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"], help="The gateway's configuration.")],
    since: Annotated[str, Parameter(help="A time like 2026-11-25T01:40 (UTC), or an age like 15m.")] = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON.")] = False,
) -> int:
    """Compare the candidate of `policy.shadow` with what was decided. Exits 1 when it would have decided otherwise."""
    since_ns = instant(since, SystemClock().now_ns(), "--since") if since else 0
    with reading():
        seen = list(decisions(load(config).data_dir, since_ns))
    differing = [each for each in seen if each.said.change]
    groups = Counter(
        (each.said.change, each.outcome, each.said.outcome, each.who, each.connection, each.action, each.said.codes)
        for each in differing
    )
    if as_json:
        names = ("change", "was", "would_be", "who", "connection", "action", "codes")
        rows = [{**dict(zip(names, key, strict=True)), "count": count} for key, count in groups.most_common()]
        document = {"decisions": len(seen), "differ": len(differing), "groups": rows}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
    else:
        for (change, was, would, who, connection, action, codes), count in groups.most_common():
            line = f"{count:>7}  {change:<11}  {was} → {would}  {who}  {connection}  {action}  {' '.join(codes)}"
            sys.stdout.write(printable(line) + "\n")
        sys.stdout.write(f"{len(seen)} decisions compared, {len(differing)} would differ\n")
    return CHANGES if differing else NO_CHANGE


def decisions(data_dir: Path, since_ns: int) -> Iterator[Seen]:
    """Those with a candidate beside them, the latest first. Raises OSError and ValueError."""
    for view in open_views(data_dir):
        for _, raw in view.downwards(view.size):
            if _MARK not in raw:
                continue
            leaf = decode_leaf(raw)
            if int(leaf.t) < since_ns:
                return
            if isinstance(leaf.data, msgspec.UnsetType) or leaf.moved_data():
                continue
            said = msgspec.json.decode(leaf.data, type=_Facts).shadow
            if said is not None:
                yield Seen(leaf.did, leaf.who.id if leaf.who else "", leaf.res, leaf.act, leaf.outcome, said)
