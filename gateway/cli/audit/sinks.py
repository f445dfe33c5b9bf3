"""`querywarden audit sinks`: how far each sink has the log, and which events its receiver would not take."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.desk import FINE, SAYS_NO, ConfigOption, DataOption, JsonOption, data_folder
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import moment, printable
from gateway.evidence.sinks.cursor import Cabinet, Parked, cabinets
from gateway.evidence.sinks.follow import Follower
from gateway.evidence.sinks.outgoing import Position


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One sink."""

    name: str
    epoch: int
    next_leaf: int
    """everything before it was taken, or parked"""
    behind: int
    """signed leaves it has not taken"""
    parked: tuple[Parked, ...]


def sinks(
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    parked: Annotated[bool, Parameter(name="--parked", negative="")] = False,
    as_json: JsonOption = False,
) -> int:
    """Show how far each sink is, from its cursor. Exits 1 when a receiver has refused events.

    What a refused event says stands in the log: `audit explain` its decision, or read the leaf of its number.

    Parameters
    ----------
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    parked
        List every event that was refused, with its reason.
    as_json
        Print as JSON.

    """
    found = standings(data_folder(config, data))
    if as_json:
        sys.stdout.write(written(found))
    else:
        sys.stdout.write(in_words(found, parked=parked))
    return SAYS_NO if any(each.parked for each in found) else FINE


def standings(data_dir: Path) -> list[Standing]:
    """Every sink there ever was. Raises OSError and ValueError when the log cannot be read."""
    follower = Follower(data_dir)
    follower.look()
    return [_standing(name, cabinet, follower) for name, cabinet in cabinets(data_dir).items()]


def _standing(name: str, cabinet: Cabinet, follower: Follower) -> Standing:
    cursor = cabinet.load()
    position = cursor.position if cursor else Position(0, 0)
    return Standing(
        name=name,
        epoch=position.epoch,
        next_leaf=position.number,
        behind=follower.pending(position),
        parked=tuple(cabinet.list_parked()),
    )


def in_words(found: list[Standing], *, parked: bool) -> str:
    """A line for each sink, and one for each refused event."""
    if not found:
        return "no sink has begun\n"
    width = max(len(each.name) for each in found) + 2
    lines = []
    for each in found:
        place = f"epoch {each.epoch}, next leaf {each.next_leaf}"
        lines.append(f"{each.name:<{width}}{place}, {each.behind:,} behind, {len(each.parked):,} refused")
        if parked:
            lines += [f"{'':<{width}}{_line(event)}" for event in each.parked]
    return "\n".join(lines) + "\n"


def _line(event: Parked) -> str:
    when = moment(int(event.t)) if event.t.isdecimal() else "unknown"
    return printable(f"{event.id}  {event.type or 'unreadable'}  {when}  {event.reason}")
