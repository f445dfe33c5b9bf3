"""A real witness cosigns the log as it grows, and never again once its history was written anew with the real key."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core.clock import SystemClock
from gateway.core.events import Event, EventType
from gateway.evidence.cosigned import best_cosigned
from gateway.evidence.explain import tell
from gateway.evidence.keys import create_keys, public_key
from gateway.evidence.proof import write_cosigned_proof
from gateway.evidence.reader import LogReader
from gateway.evidence.recorder import Recorder
from gateway.evidence.verify import Options, verify
from gateway.evidence.witness_http import Address, Line
from gateway.evidence.witnessing import Watched, Witness, Witnessing
from tests.conformance.go_tools import BUILD_SECONDS, built
from tests.conformance.litewitness import Litewitness, litewitness
from tests.evidence.world import one_session

pytestmark = pytest.mark.timeout(BUILD_SECONDS)
GROWTH = (1, 3, 90, 200, 1, 40)


class Owner:
    """Who writes a log under one key, honest or not."""

    def __init__(self, folder: Path, witness: Litewitness) -> None:
        self.folder, self.clock, self.events = folder, SystemClock(), list[Event]()
        self.line = Line(Address(witness.url))
        self.witness = Witness(witness.key, self.line.post)
        self.ids: list[str] = []

    async def write(self, growth: tuple[int, ...]) -> None:
        """A log that grows, and is shown to the witness each time."""
        recorder = await Recorder.open(self.folder, self.clock, checkpoint_interval=3600)

        async def note(event: Event) -> None:
            self.events.append(event)
            await recorder.append(event)

        client = Witnessing(
            Watched(self.folder, recorder.epoch, recorder.endorse), [self.witness], note, self.clock, 1.0
        )
        for statements in growth:
            self.ids += await one_session(recorder, self.clock, statements) or []
            await recorder.checkpoint()
            self.witness.rests_until = 0
            await client.begin_round()
            await client.settle()
        await recorder.close()
        await self.line.close()

    def said(self) -> list[tuple[EventType, object]]:
        return [(event.type, event.data.get("why")) for event in self.events]


@pytest.fixture
def honest(tmp_path: Path) -> Path:
    """A data folder with keys only."""
    create_keys(tmp_path / "honest/keys", 1, "log.test")
    return tmp_path / "honest"


@pytest.fixture
def witness(honest: Path, tmp_path: Path, unused_tcp_port: int) -> Iterator[Litewitness]:
    with litewitness(tmp_path, LogReader(honest, 1).verifier, unused_tcp_port) as running:
        yield running


def forged(honest: Path, folder: Path) -> Path:
    """Another data folder with the real keys and no log."""
    (folder / "keys").mkdir(parents=True, mode=0o700)
    for path in (honest / "keys").iterdir():
        if path.suffix != ".head":
            shutil.copy(path, folder / "keys")
    return folder


def test_it_cosigns_every_checkpoint_of_a_growing_log(honest: Path, witness: Litewitness, tmp_path: Path) -> None:
    owner = Owner(honest, witness)
    asyncio.run(owner.write(GROWTH))
    assert owner.witness.answers == {"cosigned": len(GROWTH)}
    assert owner.said() == [(EventType.WITNESS_COSIGNED, None)]
    report = verify(honest, SystemClock(), options=Options(witnesses=(witness.key,)))
    assert report.ok
    assert [(each.name, each.size) for each in report.witnesses] == [(witness.key.name, witness.seen())]
    proofs = built(".", "./proof")
    key = public_key(honest / "keys", 1).read_text(encoding="utf-8").strip()
    reader, path = LogReader(honest, 1), tmp_path / "proof"
    assert best_cosigned(reader.prefix, reader.verifier, 1, [witness.key]) is not None
    for did in owner.ids[::50]:
        story = tell(honest, did)
        assert story is not None
        proof = write_cosigned_proof(story, reader, [witness.key])
        assert proof is not None
        path.write_bytes(proof)
        for needed in ([], [witness.key.encode()]):
            done = subprocess.run([proofs / "proof", path, key, *needed], capture_output=True, check=False)
            assert (done.returncode, done.stdout.strip(), done.stderr) == (0, story.raw, b"")


@pytest.mark.parametrize(("growth", "why"), [((900, 300), "other_history"), ((1,), "ahead")])
def test_it_refuses_a_history_that_was_written_anew_and_signed_with_the_real_key(
    honest: Path, witness: Litewitness, tmp_path: Path, growth: tuple[int, ...], why: str
) -> None:
    asyncio.run(Owner(honest, witness).write(GROWTH))
    seen = witness.seen()
    forger = Owner(forged(honest, tmp_path / "forged"), witness)
    asyncio.run(forger.write(growth))
    assert forger.said() == [(EventType.WITNESS_REFUSED, why)]
    assert forger.witness.answers == {why: len(growth)}
    assert witness.seen() == seen
    report = verify(forger.folder, SystemClock(), options=Options(witnesses=(witness.key,)))
    assert {finding.name for finding in report.findings} >= {"witness.silent", "witness.none"}
    shutil.copytree(honest / "log/1/cosigned", forger.folder / "log/1/cosigned")
    named = {"other_history": "witness.other_tree", "ahead": "witness.ahead"}[why]
    report = verify(forger.folder, SystemClock(), options=Options(witnesses=(witness.key,)))
    assert named in {finding.name for finding in report.findings if finding.grave}


def test_the_honest_owner_goes_on_after_a_forger_was_refused(
    honest: Path, witness: Litewitness, tmp_path: Path
) -> None:
    asyncio.run(Owner(honest, witness).write((5,)))
    asyncio.run(Owner(forged(honest, tmp_path / "forged"), witness).write((50,)))
    again = Owner(honest, witness)
    asyncio.run(again.write((2, 2)))
    assert again.said() == [(EventType.WITNESS_COSIGNED, None)]


def test_a_log_it_does_not_know_is_refused(witness: Litewitness, tmp_path: Path) -> None:
    create_keys(tmp_path / "stranger/keys", 1, "log.test")
    stranger = Owner(tmp_path / "stranger", witness)
    asyncio.run(stranger.write((1,)))
    assert stranger.said() == [(EventType.WITNESS_REFUSED, "unknown_log")]
