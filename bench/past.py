"""`python -m bench.past [DECISIONS] [QUESTIONS]`: a log of that many decisions, and a back-test over it, timed."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

from gateway.cli.policy.evaluating import Candidate
from gateway.core.clock import SystemClock
from gateway.core.events import Event, EventType, Who
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from gateway.policy.archive import write_archive
from gateway.policy.build import read_bundle_files, with_site
from gateway.policy.bundle import SITE_DATA
from gateway.policy.digests import canonical
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.site import Site
from gateway.policy.store import BundleStore
from gateway.policy.vectors import decode_vectors

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "bundles/demo/bundle.tar.gz"
AT_ONCE = 2000
TIMES = 10
"""how often the log's decisions stand in the history: a log of a million takes long to write and much room"""


def documents(count: int) -> Iterator[bytes]:
    """Inputs of the vectors, each again and again under other agents."""
    files = read_bundle_files(DEMO)
    known = [
        vector.input
        for name, raw in sorted(files.items())
        if name.startswith("vectors/")
        for vector in decode_vectors(name, raw).vectors
        if vector.conforms and isinstance(vector.input, dict)
    ]
    for number in range(count):
        asked = dict(known[number % len(known)])
        subject = asked["subject"]
        subject = {**subject, "id": f"agent-{number // len(known)}"} if isinstance(subject, dict) else subject
        yield canonical({**asked, "subject": subject})


async def write_log(folder: Path, decisions: int, questions: int) -> None:
    """A data folder as a gateway leaves it."""
    clock, raw = SystemClock(), DEMO.read_bytes()
    bundle = f"sha256:{BundleStore(folder).keep(raw)}"
    candidate = Candidate(read_bundle_files(DEMO))
    asked = [(document, candidate.raw(document)) for document in documents(questions)]
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600, name="log.bench")
    await recorder.append(Event(type=EventType.SESSION_OPENED, sid="s", who=Who(id="bench"), res="payments"))
    for start in range(0, decisions, AT_ONCE):
        await asyncio.gather(
            *(
                recorder.append(event(*asked[number % questions], bundle, new_id(clock)))
                for number in range(start, min(start + AT_ONCE, decisions))
            )
        )
    await recorder.append(Event(type=EventType.SESSION_CLOSED, sid="s", res="payments"))
    await recorder.close()


def event(document: bytes, answer: bytes, bundle: str, did: str) -> Event:
    """One decision."""
    said = msgspec.json.decode(document)
    return Event(
        type=EventType.STATEMENT_DECIDED,
        sid="s",
        did=did,
        who=Who(id=said["subject"]["id"]),
        res=said["resource"]["connection"],
        act=said["action"]["name"],
        outcome=msgspec.json.decode(answer)["outcome"],
        ok=True,
        bundle=bundle,
        engine=EmbeddedEngine.name,
        bodies={"in": document, "out": answer},
    )


def other(folder: Path) -> Path:
    """A candidate that masks every label whole and takes all clearances away."""
    files = read_bundle_files(DEMO)
    site = msgspec.convert(msgspec.json.decode(files[SITE_DATA]), Site)
    path = folder / "candidate.tar.gz"
    changed = msgspec.structs.replace(site, masks=dict.fromkeys(site.masks, "null"), clear=())
    path.write_bytes(write_archive(with_site(files, changed, "candidate")))
    return path


def multiply(history: Path) -> None:
    """The same decisions again and again under other ids."""
    rows = f"SELECT * REPLACE (did || '-' || n AS did) FROM '{history}/decisions/*/*.parquet', range(1, {TIMES}) t(n)"  # noqa: S608 -- our own folder
    duckdb.execute(f"COPY ({rows}) TO '{history}/decisions/more.parquet' (FORMAT parquet)")
    (history / "decisions/day=2026-01-01").mkdir()
    (history / "decisions/more.parquet").rename(history / "decisions/day=2026-01-01/more.parquet")


def timed(title: str, *arguments: str) -> None:
    """One run of the command, with what it says and how long it took."""
    started = time.monotonic()
    command = [str(ROOT / ".venv/bin/querywarden"), "policy", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"# {title}: exit {result.returncode}, {time.monotonic() - started:.1f} s\n{result.stdout}{result.stderr}")


def main(arguments: list[str]) -> None:
    """Write, then ask three times."""
    decisions, questions = (int(text) for text in [*arguments, *("100000", "5000")[len(arguments) :]])
    with TemporaryDirectory(prefix="querywarden-bench-") as place:
        folder = Path(place)
        started = time.monotonic()
        asyncio.run(write_log(folder / "var", decisions, questions))
        print(f"# {decisions:,} decisions written in {time.monotonic() - started:.1f} s")
        data = ("--data", str(folder / "var"))
        timed("the same bundle", "backtest", "--candidate", str(DEMO), *data)
        timed("another bundle", "backtest", "--candidate", str(other(folder)), *data)
        timed("export", "history", "-o", str(folder / "history"), *data)
        multiply(folder / "history")
        for title, bundle in (("the same bundle", DEMO), ("another bundle", other(folder))):
            timed(
                f"{title} over {TIMES} times as much in Parquet",
                "backtest",
                "--candidate",
                str(bundle),
                "--history",
                str(folder / "history"),
            )


if __name__ == "__main__":
    main(sys.argv[1:])
