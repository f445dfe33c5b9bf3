"""Site data against the database it speaks of: names that lead nowhere, and code that writes to governed tables run."""

from collections.abc import Iterator
from typing import Final

from gateway.cli.doctor.result import Result, Status, of_error
from gateway.core.errors import Unavailable
from gateway.core.site import Posture
from gateway.frontends.keeper import Keeper
from gateway.sql.catalog import Catalog

PROBE: Final = "governed"


async def look(keeper: Keeper) -> list[Result]:
    """Read the catalog as a session would. The keeper's link stays open."""
    try:
        ground = await keeper.ground()
    except Unavailable as error:
        return [of_error(PROBE, keeper.name, error)]
    return list(judge(keeper.name, ground.catalog, ground.posture))


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
