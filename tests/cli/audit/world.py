"""A data folder with decisions of the demo's bundle, as a gateway would leave it."""

import asyncio
import hashlib
from pathlib import Path
from typing import NamedTuple

from gateway.cli.audit.recompute import Archived
from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from gateway.policy.archive import read_archive
from gateway.policy.bundle import read_contents
from gateway.policy.digests import policy_digest
from gateway.policy.document import Scribe
from gateway.policy.store import BundleStore
from tests.evidence.world import TickClock, closed, decided, finished, opened
from tests.policy.world import column, request

ARCHIVE = Path(__file__).parents[3] / "bundles/demo/bundle.tar.gz"
HOSTILE = "SELECT \x1b[2J \u202e FROM t"


class Written(NamedTuple):
    """The folder and the decisions in it."""

    folder: Path
    by_policy: str
    """decided by the bundle, over a document its scribe wrote"""
    hostile: str
    """a statement with characters that a terminal must never be sent"""
    refused: str
    """refused by the gateway, without asking policy"""
    bundle: str
    """hex"""


def document_of(raw: bytes) -> bytes:
    """A document as the bundle's scribe writes it."""
    reads = read_contents(read_archive(raw)).metadata.querywarden.reads
    return Scribe(reads, hashlib.sha256(raw).hexdigest(), "demo-1").write(request(column("pan", "pan")))


def written(folder: Path) -> Written:
    return asyncio.run(_write(folder))


async def _write(folder: Path) -> Written:
    raw, clock = ARCHIVE.read_bytes(), TickClock()
    digest = BundleStore(folder).keep(raw)
    document = document_of(raw)
    answer = Archived(read_archive(raw)).answer(document)
    ids = [new_id(clock) for _ in range(3)]
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600, name="log.test")
    facts: dict[str, object] = {"why": "start", "keyid": "k", "revision": "demo-1"}
    await recorder.append(
        Event(type=EventType.BUNDLE_ACTIVATED, who=Who(id="maria"), bundle=f"sha256:{digest}", data=facts)
    )
    await recorder.append(opened("s"))
    who = Who(id="agent-7", issuer="https://idp.test", on_behalf_of="maria")
    await recorder.append(
        Event(
            type=EventType.STATEMENT_DECIDED, sid="s", did=ids[0], who=who, res="payments", act="select",
            outcome="deny", ok=False, bundle=f"sha256:{digest}", engine="embedded/test",
            policy_digest=f"sha256:{policy_digest(read_archive(raw))}", bodies={"in": document, "out": answer},
        )
    )  # fmt: skip
    await recorder.append(decided(ids[1], "s", text=HOSTILE.replace("\x1b", "\\u001b")))
    await recorder.append(finished(ids[1], "s"))
    refusal: dict[str, object] = {"refused": {"code": "statement.unanalysable", "message": "no SQL"}}
    await recorder.append(
        Event(type=EventType.STATEMENT_DECIDED, sid="s", did=ids[2], ok=False, outcome="deny", data=refusal)
    )
    await recorder.append(closed("s"))
    await recorder.close()
    return Written(folder, ids[0], ids[1], ids[2], digest)
