"""One connection's database: whether it lets us in, as whom, what that role may do, and whether our clocks agree."""

from collections.abc import AsyncIterator
from typing import Final

from gateway.cli.doctor import role
from gateway.cli.doctor.result import Result, Status, of_error
from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.sql.queries import QUERIES
from gateway.upstream.postgres import Link, connect
from gateway.upstream.query import fetch
from gateway.upstream.target import Target

PROBE: Final = "database"
NOW: Final = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::bigint"
LEAST_SKEW: Final = 1.0
"""seconds: below this nobody sees a difference"""
_MS: Final = 1_000_000


async def look(target: Target, clock: Clock, skew: float) -> list[Result]:
    """Log in, and ask. `skew`: by how many seconds clocks may differ. The link is closed again."""
    try:
        link = await connect(target, application_name="querywarden/doctor")
    except Unavailable as error:
        return [of_error(PROBE, target.name, error)]
    found = [Result(probe=PROBE, about=target.name, status=Status.FINE, text=_greeting(link))]
    try:
        found += [each async for each in _questions(link, clock, skew)]
    except Unavailable as error:
        found.append(of_error(PROBE, target.name, error))
    link.close()
    await link.stream.wait_closed()
    return found


async def _questions(link: Link, clock: Clock, skew: float) -> AsyncIterator[Result]:
    await fetch(link, QUERIES["pin"])
    for each in role.judge(link.target, await fetch(link, role.POWERS)):
        yield each
    before = clock.now_ns()
    rows = await fetch(link, NOW)
    after = clock.now_ns()
    yield clocks(link.target.name, before // _MS, int(rows[0][0] or 0), after // _MS, skew)


def _greeting(link: Link) -> str:
    target, tls = link.target, link.stream.tls
    where = target.unix_socket or f"{target.host}:{target.port}"
    how = f"{tls.version()}, {target.tls}" if tls else "without TLS"
    return f"PostgreSQL {link.parameters.get('server_version', '?')} at {where}, {target.user}@{target.database}, {how}"


def clocks(about: str, before: int, theirs: int, after: int, skew: float) -> Result:
    """Compare the server's time with ours before and after it was asked; all in milliseconds."""
    ahead = theirs - after if theirs > after else min(theirs - before, 0)
    allowed = max(skew, LEAST_SKEW)
    if abs(ahead) <= allowed * 1000:
        text = f"differs from the database's by {abs(ahead) / 1000:.1f} s at most"
        return Result(probe="clock", about=about, status=Status.FINE, text=text)
    return Result(
        probe="clock",
        about=about,
        status=Status.NO,
        text=f"the database's clock is {abs(ahead) / 1000:.0f} s {'ahead' if ahead > 0 else 'behind'}",
        remedy="Synchronise both machines: tokens and grants expire by the gateway's clock.",
    )
