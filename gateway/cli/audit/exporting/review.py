"""The access review (PCI DSS 7.2.4, 7.2.5): who may do what to which data, by the bundle; and what of it was used."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from gateway.cli.audit.exporting.answers import Said
from gateway.cli.audit.exporting.tally import Group
from gateway.policy.site import BreakGlass, Clear, Grant, Site, names_connection

ANYONE: Final = "*"


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One right: a group, on a connection, to relations, for an action."""

    group: str
    connection: str
    relations: str
    action: str
    labels: tuple[str, ...]
    """labels of the columns it reaches"""
    shown_as: tuple[str, ...]
    """`label: method`, or `label: clear`"""
    agents: tuple[str, ...]
    """with a token of this group in the period"""
    used: int
    """decisions of the period that rested on it"""
    used_by: dict[str, int]


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """Who sees a label unmasked."""

    group: str
    connection: str
    label: str
    when: str
    """`always`, `with a reason`, or `in an emergency`"""
    agents: tuple[str, ...]
    used_by: dict[str, int]
    """agent of the group → decisions that showed it labelled columns"""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Of the bundle that was in force last."""

    bundle: str
    revision: str
    lines: tuple[Line, ...]
    clearances: tuple[Clearance, ...]
    unused: int
    idle_agents: tuple[str, ...]
    """seen in the period, and no statement of theirs was let through"""
    beyond: dict[str, int]
    """rights that decisions rested on and that this bundle does not have: it was another one then"""


def review_of(
    bundle: tuple[str, str],
    site: Site,
    agents: Mapping[str, set[str]],
    groups: Mapping[Group, int],
    answers: Mapping[str, Said],
) -> Review:
    """The table, with what was used. `bundle` is sha256 and revision."""
    used = _used(groups, answers)
    lines = tuple(_lines(site, agents, used))
    known = {_name(line) for line in lines}
    busy = {group.subject for group in groups if group.outcome != "deny"}
    wild = {right for right in used if any(_covers(line, right) for line in lines)}
    return Review(
        bundle=bundle[0],
        revision=bundle[1],
        lines=lines,
        clearances=tuple(_clearances(site, agents, groups, answers)),
        unused=sum(not line.used for line in lines),
        idle_agents=tuple(sorted(set(agents) - busy)),
        beyond={right: sum(by.values()) for right, by in sorted(used.items()) if right not in known | wild},
    )


def _used(groups: Mapping[Group, int], answers: Mapping[str, Said]) -> dict[str, Counter[str]]:
    """Right → agent → decisions."""
    found: dict[str, Counter[str]] = {}
    for group, count in groups.items():
        for right in answers.get(group.answer, Said()).grants:
            found.setdefault(right, Counter())[group.subject] += count
    return found


def _lines(site: Site, agents: Mapping[str, set[str]], used: Mapping[str, Counter[str]]) -> Iterator[Line]:
    seen: set[tuple[str, str, str, str]] = set()
    for grant in site.grants:
        for right in _rights(grant):
            if right in seen:
                continue
            seen.add(right)
            group, connection, relations, action = right
            labels = tuple(sorted(_labels(site, connection, relations)))
            by = sum((by for name, by in used.items() if _right_covers(right, name)), Counter[str]())
            yield Line(
                group=group,
                connection=connection,
                relations=relations,
                action=action,
                labels=labels,
                shown_as=tuple(_shown_as(site, group, connection, label) for label in labels),
                agents=tuple(sorted(who for who, have in agents.items() if group in {*have, ANYONE})),
                used=by.total(),
                used_by=dict(sorted(by.items())),
            )


def _rights(grant: Grant) -> Iterator[tuple[str, str, str, str]]:
    for group in grant.groups:
        for connection in grant.connections:
            for relations in grant.relations:
                yield from ((group, connection, relations, action) for action in grant.actions)


def _labels(site: Site, connection: str, relations: str) -> set[str]:
    return {
        label
        for name, tables in site.classification.items()
        if names_connection((connection,), name)
        for table, columns in tables.items()
        if _matches(relations, table)
        for labels in columns.values()
        for label in labels
    }


def _matches(pattern: str, relation: str) -> bool:
    schema, _, name = pattern.partition(".")
    return pattern in {ANYONE, relation} or (name == ANYONE and relation.startswith(f"{schema}."))


def _shown_as(site: Site, group: str, connection: str, label: str) -> str:
    cleared = any(
        label in clear.labels and group in clear.groups and names_connection(clear.connections, connection)
        for clear in site.clear
    )
    return f"{label}: {'clear' if cleared else site.masks.get(label, 'null')}"


def _clearances(
    site: Site, agents: Mapping[str, set[str]], groups: Mapping[Group, int], answers: Mapping[str, Said]
) -> Iterator[Clearance]:
    entries: list[tuple[Clear | BreakGlass, str]] = [
        *((each, "with a reason" if each.reason_required else "always") for each in site.clear),
        *((each, "in an emergency") for each in site.break_glass),
    ]
    for entry, when in entries:
        for group in entry.groups:
            for connection in entry.connections:
                mine = {who for who, have in agents.items() if group in {*have, ANYONE}}
                used: Counter[str] = Counter()
                for each, count in groups.items():
                    shown = answers.get(each.answer, Said()).shown
                    if shown and each.subject in mine and names_connection((connection,), each.connection):
                        used[each.subject] += count
                for label in entry.labels:
                    yield Clearance(
                        group=group,
                        connection=connection,
                        label=label,
                        when=when,
                        agents=tuple(sorted(mine)),
                        used_by=dict(sorted(used.items())),
                    )


def _name(line: Line) -> str:
    return f"{line.group}/{line.connection}/{line.relations}/{line.action}"


def _covers(line: Line, right: str) -> bool:
    return _right_covers((line.group, line.connection, line.relations, line.action), right)


def _right_covers(right: tuple[str, str, str, str], used: str) -> bool:
    """A decision names the connection and action it was about; a grant may say `*` for either."""
    group, connection, *rest = used.split("/")
    relations, action = "/".join(rest[:-1]), rest[-1] if rest else ""
    return (
        right[0] == group
        and right[1] in {connection, ANYONE}
        and right[2] == relations
        and right[3] in {action, ANYONE}
    )
