"""Keeps one connection's catalog snapshot true, and opens the upstream connections that serve its sessions.

The snapshot is read over a connection of its own. It is read again when a session changed the schema, when the bundle
changed (labels move), and when a cheap look every few seconds says that somebody else changed it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.core.errors import Unavailable
from gateway.core.site import Posture
from gateway.session.ground import Ground
from gateway.sql.catalog import Catalog, build_catalog
from gateway.sql.queries import QUERIES
from gateway.upstream.pool import Pool
from gateway.upstream.postgres import Link, cancel, connect
from gateway.upstream.query import Row, fetch, parameter_template
from gateway.upstream.target import Target
from gateway.wire.postgres.frames import MESSAGE_MAX

CONNECT_SECONDS = 10.0
LOOK_EVERY_SECONDS = 5.0
READ_SECONDS = 30.0
"""for one query of the catalog"""
_WATCHED = (
    "pg_class", "pg_attribute", "pg_proc", "pg_rewrite", "pg_trigger", "pg_namespace", "pg_constraint", "pg_policy",
    "pg_attrdef", "pg_type", "pg_operator", "pg_cast", "pg_inherits",
)  # fmt: skip
_LOOK = "(SELECT count(*) || '/' || coalesce(sum(xmin::text::bigint), 0) FROM pg_catalog.{})"
_FINGERPRINT = "SELECT " + " || '/' || ".join(map(_LOOK.format, _WATCHED))
"""Moves whenever anything the snapshot is made of is created, changed or dropped."""
_CLOCK = "SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint"
STATEMENTS = (*QUERIES.values(), _FINGERPRINT, _CLOCK)
"""Everything that is asked over the connection of its own: the database's log has it, without a decision"""


@dataclass(eq=False)
class Keeper:
    """One connection of the configuration, live."""

    name: str
    target: Target
    pool: Pool
    posture: Callable[[str], Posture]
    """what the active bundle says of a connection"""
    labels: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    """ParameterStatus of the server that clients may be told, as the last look saw it"""
    idle_seconds: float = 900.0
    """a session that is silent for so long ends (`limits.idle_timeout`)"""
    session_seconds: float = 8 * 3600.0
    """and one that has lasted for so long (`limits.session_max`)"""
    gone_seconds: float = 30.0
    """what a client that has left still waits for is given so long, then cancelled"""
    message_max: int = MESSAGE_MAX
    """bytes (`limits.message_max`)"""
    notices: bool = True
    """tell clients which columns they see through a mask"""
    told: dict[int, int] = field(default_factory=dict)
    """process ids of the server's that serve clients → what those were told at login"""
    readings: int = 0
    """how often reading the catalog has begun"""
    _link: Link | None = None
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _fingerprint: str = ""
    """of the catalog as `_rows` has it"""
    _stands_on: int = 0
    """the reading that `_ground` was built on"""
    _ground: Ground | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ground(self) -> Ground:
        """The snapshot and the posture that hold now. Raises Unavailable when the database cannot be read."""
        posture = self.posture(self.name)
        if self._ground is None or self._ground.posture != posture:
            async with self._lock:
                if self._ground is None or self._ground.posture != posture:
                    if not self._rows:
                        await self._read()
                    self._ground = await self._build(posture)
        return self._ground

    async def reload(self) -> None:
        """Read the catalog anew; the next `ground()` stands on it. Raises Unavailable.

        Many who ask at once share a reading that began after they asked: they do not queue for one each.
        """
        begun = self.readings
        async with self._lock:
            if self._stands_on <= begun:
                await self._reload()

    async def look(self) -> None:
        """Reload when somebody changed the schema. A server that is away is met by the next statement, not here."""
        async with self._lock:
            try:
                if self._rows and (self._stale or await self._current_fingerprint() != self._fingerprint):
                    await self._reload()
            except Unavailable:
                self._drop_link()

    @property
    def _stale(self) -> bool:
        """A reading has begun that nothing was built on: who wanted it was cancelled."""
        return self._stands_on < self.readings

    async def watch(self) -> None:
        """Look every few seconds, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            await self.look()

    async def open(self, sid: str, settings: Mapping[str, str]) -> Link:
        """A connection for one session, within `pool_max`. Raises Unavailable."""
        return await self.pool.open(self.target, application_name=self.name_of(sid), settings=settings)

    @staticmethod
    def name_of(sid: str) -> str:
        """What the server knows a session as, and writes in front of each line of its log (log_line_prefix `%a`)."""
        return f"qw/{sid}"

    async def cancel(self, link: Link) -> None:
        """Ask the server to cancel what `link` is doing; a server that is away has nothing to cancel."""
        with contextlib.suppress(Unavailable):
            await cancel(self.target, link.pid, link.key)

    async def clock_us(self) -> int:
        """The database's time, microseconds since the epoch. Raises Unavailable."""
        async with self._lock:
            await self._connected()  # beforehand: a login takes longer than the question
            rows = await self._fetch(_CLOCK)
        return int(rows[0][0] or 0)

    def close(self) -> None:
        """Let go of the catalog connection."""
        self._drop_link()

    async def aclose(self) -> None:
        """The same, and wait until it is gone."""
        link = self._link
        self._drop_link()
        if link is not None:
            await link.stream.wait_closed()

    async def _build(self, posture: Posture) -> Ground:
        """Parsing every view takes a while on a large schema: it leaves the loop."""
        reading, previous = self.readings, self._ground.catalog if self._ground else None
        catalog: Catalog = await asyncio.to_thread(build_catalog, self._rows, posture, previous)
        self._stands_on = reading
        return Ground(catalog, posture)

    async def _reload(self) -> None:
        await self._read()
        self._ground = await self._build(self.posture(self.name))

    async def _read(self) -> None:
        """Read it all; once more on a fresh link when the old one turns out to have died since its last use."""
        old = self._link is not None
        try:
            await self._read_once()
        except Unavailable:
            if not old:
                raise
            await self._read_once()

    async def _read_once(self) -> None:
        self.readings += 1
        self._fingerprint = await self._current_fingerprint()
        self._rows = {name: await self._fetch(sql) for name, sql in QUERIES.items()}

    async def _current_fingerprint(self) -> str:
        rows = await self._fetch(_FINGERPRINT)
        return rows[0][0] or ""

    async def _fetch(self, sql: str) -> list[Row]:
        """Ask over the connection all share. A session that ends while it waits must not leave half an answer there.

        A server that hangs is given up in time: everybody would wait for it.
        """
        try:
            async with asyncio.timeout(READ_SECONDS):
                return await fetch(await self._connected(), sql)
        except TimeoutError:
            if self._link is not None:
                self._link.abort()  # it would not answer a good-bye either
                self._link = None
            raise Unavailable("upstream.timeout", "reading the catalog") from None
        except BaseException:
            self._drop_link()
            raise

    async def _connected(self) -> Link:
        if self._link is not None and self._link.at_eof:
            self._drop_link()
        if self._link is None:
            deadline = asyncio.get_running_loop().time() + CONNECT_SECONDS
            self._link = await connect(self.target, application_name="querywarden/catalog", deadline=deadline)
            self.parameters = parameter_template(self._link.parameters)
        return self._link

    def _drop_link(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
