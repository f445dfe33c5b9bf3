"""A period is computed again, each question once, by the bundle that decided; what does not hold is named."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from gateway.cli.audit.recompute import Archived
from gateway.cli.audit.redeciding import Report, decide_again
from gateway.cli.policy.past import LoggedPast, Period
from gateway.core.events import Event, EventType
from gateway.evidence.recorder import Recorder
from gateway.policy.archive import read_archive
from gateway.policy.digests import policy_digest
from gateway.policy.store import BundleStore
from tests.cli.audit.world import ARCHIVE, document_of
from tests.evidence.world import TickClock

RAW = ARCHIVE.read_bytes()
DOCUMENT = document_of(RAW)
DIGEST = f"sha256:{policy_digest(read_archive(RAW))}"


@pytest.fixture(scope="module")
def answer() -> bytes:
    return Archived(read_archive(RAW)).answer(DOCUMENT)


def log(folder: Path, *decisions: dict[str, object]) -> Path:
    """A log of decisions that are as they should be but for what is said of each."""

    async def write() -> None:
        bundle = f"sha256:{BundleStore(folder).keep(RAW)}"
        recorder = await Recorder.open(folder, TickClock(), checkpoint_interval=3600)
        usual = Event(
            type=EventType.STATEMENT_DECIDED, outcome="mask", bundle=bundle, policy_digest=DIGEST, engine="embedded/old"
        )
        for number, said in enumerate(decisions):
            await recorder.append(msgspec.structs.replace(usual, did=f"d{number}", **said))
        await recorder.close()

    asyncio.run(write())
    return folder


def again(folder: Path) -> Report:
    return decide_again(LoggedPast(folder, Period()), folder, 1, lambda *_: None, lambda *_: None)


def test_what_is_as_it_should_be_is_equal_and_asked_once(tmp_path: Path, answer: bytes) -> None:
    bodies = {"in": DOCUMENT, "out": answer}
    stricter: dict[str, object] = {"bodies": bodies, "outcome": "deny"}
    refused: dict[str, object] = {"outcome": "deny", "ok": False}
    report = again(log(tmp_path, {"bodies": bodies}, {"bodies": bodies}, stricter, refused))
    assert (report.ok, report.decisions, report.questions, report.equal, report.refused) == (True, 4, 1, 3, 1)
    assert report.engines == {"embedded/old": 4}
    assert report.findings == ()


CASES: list[tuple[dict[str, object], str]] = [
    ({"answer": b'{"outcome":"deny"}'}, "different: the bundle answers otherwise now"),
    ({"outcome": "allow"}, "different: the bundle answers mask; carried out was allow"),
    ({"policy_digest": f"sha256:{'d' * 64}"}, "different: the bundle of that sha256 has another policy digest"),
    ({"document": DOCUMENT.replace(b'{"', b'{ "', 1)}, "different: the stored input is not canonical"),
    ({"document": b""}, "different: there is no answer, which denies; yet it was let through"),
    ({"bundle": f"sha256:{'b' * 64}"}, "impossible: the bundle is not in the archive"),
]


@pytest.mark.parametrize(("said", "why"), CASES)
def test_what_does_not_hold_is_named(tmp_path: Path, answer: bytes, said: dict[str, object], why: str) -> None:
    case = dict(said)
    document, out = case.pop("document", DOCUMENT), case.pop("answer", answer)
    bodies = {"in": document, "out": out} if document else {}
    report = again(log(tmp_path, {"bodies": {"in": DOCUMENT, "out": answer}}, {"bodies": bodies, **case}))
    assert not report.ok
    assert report.different + report.impossible == 1
    (finding,) = report.findings
    assert finding.why.startswith(why)
    assert (finding.decisions, finding.examples) == (1, ("d1",))


@pytest.mark.parametrize("what", ["objects", "bundles"])
@pytest.mark.parametrize("how", ["gone", "changed"])
def test_what_is_gone_or_changed_cannot_be_computed(tmp_path: Path, answer: bytes, what: str, how: str) -> None:
    folder = log(tmp_path, {"bodies": {"in": DOCUMENT, "out": answer}})
    for path in [*(folder / what).rglob("*"), *(folder / "log/1/wal").glob("*")]:
        if path.is_file():
            path.unlink() if how == "gone" or path.suffix == ".wal" else path.write_bytes(b"changed")
    report = again(folder)
    assert (report.ok, report.impossible) == (False, 1)
