"""The rooms of the gateway in this process, without a network: reading a text, asking policy, planning, recording."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from bench.lanes import DATABASE, ROLE, SITE
from gateway.core.clock import SystemClock
from gateway.core.ids import new_id
from gateway.core.principal import Principal
from gateway.frontends.driver import Driver, Log
from gateway.frontends.keeper import Keeper
from gateway.policy.bundle import load_key, open_bundle
from gateway.policy.decider import Active, Decider
from gateway.policy.document import Circumstances, Request, Resource
from gateway.policy.embedded import EmbeddedEngine
from gateway.session.ground import Ground
from gateway.session.journey import travel
from gateway.session.ruling import Leg, Ruling
from gateway.session.task import Phase
from gateway.session.traveller import Traveller
from gateway.sql.model import Scope, Understood
from gateway.sql.understand import understand
from gateway.upstream.pool import Pool
from gateway.upstream.target import Target
from tests.support.bundle import write_signed_bundle
from tests.support.postgres import HOST, Cluster

SEARCH_PATH = ("public",)
JOIN = (
    "SELECT o.id AS order_id, o.total, c.name AS customer_name, k.holder AS card_holder, k.note FROM public.orders AS o"
    " JOIN public.customers AS c ON c.id = o.customer_id LEFT JOIN public.cards AS k ON k.id = c.id"
    " WHERE o.status = 'open' AND o.region = 3 AND c.country IN ('DE', 'FR') AND o.total > {number}"
    " ORDER BY o.total DESC, o.id LIMIT 50"
)
SIMPLE = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"


@dataclass(slots=True)
class Desk:
    """A decision point with the benchmark's bundle, and the catalog of the benchmark's database."""

    decider: Decider
    ground: Ground
    clock: SystemClock

    def understand(self, text: str) -> Understood:
        """Read one statement."""
        return understand(text, self.ground.catalog, Scope(search_path=SEARCH_PATH, posture=self.ground.posture))[0]

    def request(self, understood: Understood, subject: str) -> Request:
        """A question to policy; another subject is another question."""
        traveller = self.traveller(subject)
        resource = Resource(connection=DATABASE, engine="postgres", version="15", database=DATABASE)
        context = Circumstances(time_ns=self.clock.now_ns(), channel="postgres", session_id=traveller.sid)
        return Request(
            principal=traveller.principal, resource=resource, statement=understood.statement, context=context
        )

    def traveller(self, subject: str) -> Traveller:
        """One session of an agent."""
        principal = Principal(subject=subject, issuer="https://idp.test", groups=("agents",), expires_at=1 << 40)
        return Traveller(
            sid=new_id(self.clock),
            principal=principal,
            connection=DATABASE,
            engine="postgres",
            version="15",
            database=DATABASE,
            labels={},
            channel="postgres",
            client_ip=HOST,
            tls=False,
            started_ns=self.clock.now_ns(),
        )

    async def judge(self, text: str, traveller: Traveller, log: Log) -> Ruling:
        """Take one statement through the journey, its record included."""
        leg = Leg(self.understand(text), new_id(self.clock), text.encode())
        journey = travel((leg,), Phase.QUERY, traveller, self.ground)
        return (await Driver(self.decider, log, self.clock).perform(journey, traveller))[0]


async def open_desk(cluster: Cluster) -> Desk:
    """Read the catalog, compile the bundle."""
    clock = SystemClock()
    decider = Decider(clock)
    decider.activate(_active(clock))
    target = Target(
        name=DATABASE,
        host=HOST,
        port=cluster.port,
        database=DATABASE,
        user=ROLE,
        password=str,
        tls="disable",
        search_path=SEARCH_PATH,
    )
    keeper = Keeper(DATABASE, target, Pool({DATABASE: 2}), decider.posture)
    try:
        return Desk(decider, await keeper.ground(), clock)
    finally:
        keeper.close()


def _active(clock: SystemClock) -> Active:
    with tempfile.TemporaryDirectory(prefix="qw-bench-") as name:
        folder = Path(name)
        write_signed_bundle(folder, SITE)
        key, raw = load_key(folder / "policy.pub"), (folder / "bundle.tar.gz").read_bytes()
    bundle = open_bundle(raw, [key], clock.now_ns() // 1_000_000_000)
    return Active(bundle, EmbeddedEngine(bundle.wasm, bundle.data))


@dataclass(frozen=True, slots=True)
class Decisions:
    """Microseconds at the median."""

    uncached: float
    cached: float
    join: float
    """a text never seen, of the length of `JOIN`, to its verdict"""
    reading: float
    """the part of `join` that reads the text"""


async def time_decisions(desk: Desk, count: int) -> Decisions:
    """Time `count` questions of each kind."""
    simple = desk.understand(SIMPLE)
    fresh = iter(desk.request(simple, f"agent-{number}") for number in range(count + 10))
    same = desk.request(simple, "agent")
    texts = iter([JOIN.format(number=number) for number in range(2 * count + 20)])
    texts_of_readings = iter([next(texts) for _ in range(count + 10)])

    async def read_and_decide() -> None:
        understood = desk.understand(next(texts))
        await desk.decider.decide(desk.request(understood, f"agent-{understood.text}"))

    async def read() -> None:
        desk.understand(next(texts_of_readings))

    return Decisions(
        uncached=await _median(lambda: desk.decider.decide(next(fresh)), count),
        cached=await _median(lambda: desk.decider.decide(same), count),
        join=await _median(read_and_decide, count),
        reading=await _median(read, count),
    )


async def _median(work: Callable[[], Coroutine[None, None, object]], count: int) -> float:
    for _ in range(10):
        await work()
    times = []
    for _ in range(count):
        started = time.thread_time_ns()
        await work()
        times.append((time.thread_time_ns() - started) / 1000)
        await asyncio.sleep(0)
    return statistics.median(times)
