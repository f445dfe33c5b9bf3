"""Site data against the database it speaks of: names that lead nowhere, and code that writes to governed tables run."""

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from gateway.cli.doctor.result import Result, Status, of_error
from gateway.cli.doctor.role import quoted
from gateway.core.errors import Unavailable
from gateway.core.site import Posture
from gateway.frontends.keeper import Keeper
from gateway.policy.site import SENSITIVE
from gateway.sql.catalog import Catalog
from gateway.upstream.postgres import connect
from gateway.upstream.query import fetch
from gateway.upstream.target import Target

Place: TypeAlias = tuple[int, int]
"""OID of a relation, attnum of its column"""
PROBE: Final = "governed"


async def look(keeper: Keeper) -> list[Result]:
    """Read the catalog as a session would, and ask what the role may read. The keeper's link stays open."""
    try:
        ground = await keeper.ground()
        readable = await _readable(keeper.target, sensitive(ground.catalog))
    except Unavailable as error:
        return [of_error(PROBE, keeper.name, error)]
    return [*judge(keeper.name, ground.catalog, ground.posture), *grants(keeper.target, ground.catalog, readable)]


def sensitive(catalog: Catalog) -> list[Place]:
    """Columns no agent is ever shown anything of but NULL."""
    return sorted(place for place, labels in catalog.protected.items() if SENSITIVE.intersection(labels))


def question(places: Sequence[Place]) -> str:
    """Which of some columns the role may read, as SQL."""
    listed = ", ".join(f"({oid:d}, {attnum:d})" for oid, attnum in places)
    return (
        f"SELECT p.oid, p.attnum FROM (VALUES {listed}) p(oid, attnum) WHERE "  # noqa: S608 -- numbers only
        "pg_catalog.has_column_privilege(p.oid::oid, p.attnum::smallint, 'SELECT') ORDER BY 1, 2"
    )


async def _readable(target: Target, places: Sequence[Place]) -> list[Place]:
    """Those of `places` that the role may SELECT. Raises Unavailable."""
    if not places:
        return []
    link = await connect(target, application_name="querywarden/doctor")
    try:
        rows = await fetch(link, question(places))
    finally:
        link.close()
        await link.stream.wait_closed()
    return [(int(oid or 0), int(attnum or 0)) for oid, attnum in rows]


def grants(target: Target, catalog: Catalog, readable: Sequence[Place]) -> Iterator[Result]:
    """What the role may read though nobody behind it ever will: a grant by columns would leave it out."""
    for oid, attnum in readable:
        relation = catalog.relations[oid]
        column = next(each.name for each in relation.columns if each.attnum == attnum)
        place = f"{quoted(relation.schema)}.{quoted(relation.name)}"
        yield Result(
            probe="grants",
            about=target.name,
            status=Status.NOTE,
            text=f"{target.user} may read {place}.{quoted(column)}, which agents only ever see as NULL",
            remedy=f"Grant {quoted(target.user)} the columns of {place} by name, and not this one.",
        )


def judge(about: str, catalog: Catalog, posture: Posture) -> Iterator[Result]:
    """What the active bundle's site data and the catalog say of each other."""
    for problem in catalog.problems:
        yield Result(
            probe=PROBE,
            about=about,
            status=Status.NO,
            text=problem,
            remedy="Correct the site data: what is named wrongly is not protected.",
        )
    for name, kind, events in sorted(_hidden(catalog)):
        allowed = name in posture.triggers
        yield Result(
            probe="triggers",
            about=about,
            status=Status.NOTE,
            text=f"{kind} {name} runs on {events}"
            + (", as site data allows" if allowed else ": such writes are denied"),
            remedy="" if allowed else f"When what it does is harmless, list {name} in triggers.allow of the site data.",
        )
    governed = sum(relation.governed for relation in catalog.relations.values())
    text = f"{governed} governed relations, {len(catalog.protected)} protected columns"
    yield Result(probe=PROBE, about=about, status=Status.FINE, text=text)


def _hidden(catalog: Catalog) -> set[tuple[str, str, str]]:
    """Code the owner hung on governed tables: its name as site data writes it, its kind, when it runs."""
    return {
        (f"{hidden.relation}.{hidden.name}", hidden.kind, " and ".join(sorted(hidden.events)))
        for relation in catalog.relations.values()
        for hidden in relation.runs
        if relation.governed or hidden.governed
    }
