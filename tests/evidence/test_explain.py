"""The story of a decision: found by its id, with its documents, its end, its bundle's activation, and a proof."""

import asyncio
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.core.ids import new_id
from gateway.evidence.explain import prove, tell, tell_at
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.merkle import leaf_hash, verify_inclusion
from gateway.evidence.recorder import Recorder
from gateway.evidence.view import open_views
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock, closed, decided, finished, one_session, opened, whole_log

BUNDLE = f"sha256:{'b' * 64}"


def activated(bundle: str = BUNDLE, why: str = "start") -> Event:
    return Event(type=EventType.BUNDLE_ACTIVATED, bundle=bundle, data={"why": why, "keyid": "k"})


async def write(folder: Path) -> dict[str, str]:
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    ids = {name: new_id(clock) for name in ("allowed", "denied", "unfinished")}
    for event in (activated(), activated(f"sha256:{'c' * 64}", "other"), activated(why="again")):
        await recorder.append(event)
    for _ in range(40):
        await one_session(recorder, clock, 8)
    await recorder.append(opened("s"))
    await recorder.append(decided(ids["allowed"], "s", text="SELECT 42"))
    await recorder.append(decided(ids["denied"], "s", ok=False))
    await recorder.append(finished(ids["allowed"], "s"))
    await recorder.append(decided(ids["unfinished"], "s"))
    await recorder.append(closed("s"))
    await recorder.append(activated(why="too late"))
    await recorder.close()
    return ids


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("explain")
    return folder, asyncio.run(write(folder))


def test_the_story_has_everything(told: tuple[Path, dict[str, str]]) -> None:
    folder, ids = told
    story = tell(folder, ids["allowed"])
    assert story is not None
    assert (story.epoch, story.decided.leaf.did) == (1, ids["allowed"])
    assert story.input is not None
    assert b"SELECT 42" in story.input
    assert story.answer is not None
    assert b'"outcome":"allow"' in story.answer
    assert story.finished is not None
    assert (story.finished.leaf.outcome, story.finished.number) == ("done", story.decided.number + 2)


def test_the_last_activation_before_the_decision_counts(told: tuple[Path, dict[str, str]]) -> None:
    folder, ids = told
    story = tell(folder, ids["allowed"])
    assert story is not None
    assert story.activated is not None
    assert story.activated.leaf.facts()["why"] == "again"


def test_a_denial_has_no_outcome_to_tell(told: tuple[Path, dict[str, str]]) -> None:
    folder, ids = told
    story = tell(folder, ids["denied"])
    assert story is not None
    assert story.finished is None


def test_a_decision_cut_short_has_the_outcome_its_session_gave_it(told: tuple[Path, dict[str, str]]) -> None:
    folder, ids = told
    story = tell(folder, ids["unfinished"])
    assert story is not None
    assert story.finished is not None
    assert story.finished.leaf.outcome == "outcome_unknown"


def test_the_proof_leads_from_the_leaf_to_the_signed_root(told: tuple[Path, dict[str, str]]) -> None:
    folder, ids = told
    story = tell(folder, ids["allowed"])
    assert story is not None
    proof, number = story.proof, story.decided.number
    assert (proof.signed, proof.holds) == (True, True)
    leaf = next(open_views(folder)).leaf(number)
    assert decode_leaf(leaf) == story.decided.leaf
    assert verify_inclusion(leaf_hash(leaf), number, proof.checkpoint.size, proof.path, proof.checkpoint.root)


def test_a_leaf_that_was_changed_is_not_proved(a_log: MakeLog) -> None:
    folder = a_log()
    path = folder / "log/1/tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b'"res":"payments"', b'"res":"elsewher"', 1))
    proof = prove(next(open_views(folder)), 2)
    assert (proof.signed, proof.holds) == (True, False)


@pytest.mark.parametrize(
    "did", ["", "d", "01993c1e-7f02-7c44-8a10-5f1f0c7be001", 'x"y', "00000000-0000-4000-8000-000000000000"]
)
def test_an_unknown_decision_has_no_story(finished_log: Path, did: str) -> None:
    assert tell(finished_log, did) is None


def test_a_decision_whose_id_tells_another_time_is_found_all_the_same(tmp_path: Path) -> None:
    clock = TickClock()
    far = new_id(TickClock(clock.now * 2))

    async def write_it() -> None:
        recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
        await recorder.append(decided(far, ok=False))
        for _ in range(40):
            await one_session(recorder, clock, 8)
        await recorder.close()

    asyncio.run(write_it())
    story = tell(tmp_path, far)
    assert story is not None
    assert story.decided.number == 2
    assert story.activated is None


async def test_a_decision_that_is_not_signed_yet_is_told_without_a_proof(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
    await recorder.append(decided("d"))
    story = tell(tmp_path, "d")
    await recorder.close()
    assert story is not None
    assert (story.proof.signed, story.proof.holds, story.finished) == (False, False, None)
    assert story.input is not None


def test_a_decision_of_an_earlier_epoch_is_found(tmp_path: Path) -> None:
    clock = TickClock()
    old = whole_log(tmp_path, sessions=1, clock=clock)
    (tmp_path / "keys/log-1.key").write_bytes(b"?")
    whole_log(tmp_path, sessions=1, clock=clock)
    story = tell(tmp_path, old[0])
    assert story is not None
    assert story.epoch == 1


def test_what_is_said_of_a_decisions_leaves_must_be_so(tmp_path: Path) -> None:
    ids = whole_log(tmp_path, sessions=2)
    story = tell(tmp_path, ids[0])
    assert story is not None
    assert story.finished is not None
    (view,) = open_views(tmp_path)
    decided, finished = story.decided.number, story.finished.number
    assert tell_at(view, decided, finished, None) == story
    assert tell_at(view, decided, None, None) == story
    for leaves in ((finished, None, None), (decided, finished + 1, None), (decided, finished, 0)):
        with pytest.raises(ValueError, match="leaf"):
            tell_at(view, *leaves)
