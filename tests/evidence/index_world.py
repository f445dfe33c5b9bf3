"""Two logs in one data folder with everything that can be searched for, and a finder over it."""

import asyncio
from pathlib import Path

from gateway.core.events import Event, EventType
from gateway.evidence.finder import Finder
from gateway.evidence.recorder import Recorder
from gateway.evidence.search import Query
from gateway.evidence.view import open_views
from tests.evidence.world import NOW, TickClock, closed, decided, finished, opened

BUNDLE = "b" * 64
RULES = {"access.granted": ("PCI-DSS-4.0.1/7.2.5",), "pci.pan": ("PCI-DSS-4.0.1/3.4.1", "PCI-DSS-4.0.1/7.2.5")}
STATEMENTS = ["SELECT pan FROM cards WHERE id = ?", "DROP TABLE people", 'SELECT "ÄÖÜ" FROM cards', "SELECT ?"]


def rules_of(bundle: str) -> dict[str, tuple[str, ...]]:
    return RULES if bundle == BUNDLE else {}


def write(folder: Path, *, start: int = 0, count: int = 12, clock: TickClock | None = None) -> None:
    asyncio.run(_write(folder, start, count, clock or TickClock(NOW + start * 10**9)))


async def _write(folder: Path, start: int, count: int, clock: TickClock) -> None:
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    await recorder.append(Event(type=EventType.BUNDLE_ACTIVATED, bundle=f"sha256:{BUNDLE}", data={"why": "start"}))
    for number in range(start, start + count):
        sid = f"s{number // 4}-{start}"
        if number % 4 == 0:
            await recorder.append(opened(sid))
        did, ok = f"d{number}", number % 3 != 0
        if number % 5 == 4:
            facts: dict[str, object] = {"refused": {"code": "statement.unanalysable", "message": "m"}}
            await recorder.append(
                Event(type=EventType.STATEMENT_DECIDED, sid=sid, did=did, ok=False, outcome="deny", data=facts)
            )
        else:
            text = STATEMENTS[number % 4].replace('"', '\\"')
            await recorder.append(
                decided(did, sid, ok=ok, subject=f"agent-{number % 2}", person="maria" if number % 4 == 1 else "",
                        action="drop" if number % 4 == 1 else "select",
                        connection="hr" if number % 6 == 0 else "payments",
                        code="pci.pan" if number % 2 else "access.granted", text=text)
            )  # fmt: skip
            if ok and number % 4:
                await recorder.append(finished(did, sid))
        if number % 4 == 3:
            await recorder.append(closed(sid))
    await recorder.close()


def finder(folder: Path, said: list[str] | None = None, place: Path | None = None) -> Finder:
    told = [] if said is None else said
    return Finder(list(open_views(folder)), place or folder / "index", rules=rules_of, say=told.append)


def found(folder: Path, query: Query | None = None, limit: int = 1000, said: list[str] | None = None) -> list[str]:
    desk = finder(folder, said)
    try:
        return [hit.did for hit in desk.page(query or Query(), limit).hits]
    finally:
        desk.close()
