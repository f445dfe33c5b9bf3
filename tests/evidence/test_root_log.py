"""One log over several: what was collected is verified by each log's key, grows, and forks are refused."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.chain import Chain, check_chain, make_chain
from gateway.evidence.explain import tell
from gateway.evidence.keys import load_verifier
from gateway.evidence.note import Signer, Verifier
from gateway.evidence.proof import ProofError
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.root_log import NAME, Result, collect, collected
from gateway.evidence.search import Query, search
from gateway.evidence.verify import Options, Report, verify
from tests.evidence.test_verify import edit, flip, rewrite_history
from tests.evidence.world import TickClock, grave, whole_log


class Fleet:
    """Two gateways' logs and the one over them."""

    def __init__(self, folder: Path) -> None:
        self.root, self.one, self.two = folder / "root", folder / "one", folder / "two"
        self.clock = TickClock()
        whole_log(self.one, sessions=30, statements=12, clock=self.clock)
        whole_log(self.two, sessions=2, clock=self.clock)

    def collect(self) -> list[str]:
        return [result.outcome for result in self.results()]

    def results(self) -> list[Result]:
        return asyncio.run(collect(self.root, [self.one, self.two], self.clock))

    def grow(self) -> None:
        whole_log(self.one, sessions=2, clock=self.clock)
        whole_log(self.two, sessions=30, statements=12, clock=self.clock)

    def verify(self, *replicas: Path) -> Report:
        return verify(self.root, self.clock, options=Options(replicas=replicas))


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def test_each_checkpoint_becomes_a_leaf_when_its_log_has_grown(fleet: Fleet) -> None:
    assert fleet.collect() == ["collected", "collected"]
    assert fleet.collect() == ["unchanged", "unchanged"]
    fleet.grow()
    assert fleet.collect() == ["collected", "collected"]
    found = list(collected(fleet.root))
    assert [each.checkpoint.origin for each in found] == [each.checkpoint.origin for each in found[:2]] * 2
    assert found[2].checkpoint.size > found[0].checkpoint.size
    assert open_epochs(fleet.root)[0].checkpoint.origin.startswith(NAME)


def test_it_verifies_alone_and_together_with_the_logs(fleet: Fleet) -> None:
    fleet.collect()
    fleet.grow()
    fleet.collect()
    alone = fleet.verify()
    assert grave(alone) == []
    assert [finding.name for finding in alone.findings].count("root.unchecked") == 2
    together = fleet.verify(fleet.one, fleet.two)
    assert grave(together) == []
    assert "root.unchecked" not in {finding.name for finding in together.findings}


def test_a_history_that_was_written_anew_is_refused_and_stays_refused(fleet: Fleet) -> None:
    fleet.collect()
    rewrite_history(fleet.one)
    whole_log(fleet.two, sessions=1, clock=fleet.clock)
    (refused, taken) = fleet.results()
    assert (refused.outcome, taken.outcome) == ("refused", "collected")
    assert "does not contain the tree" in refused.why
    assert grave(fleet.verify()) == ["root.refused"]
    assert set(grave(fleet.verify(fleet.one))) == {"root.refused", "root.fork"}


def test_a_log_put_back_from_an_older_copy_is_refused(fleet: Fleet) -> None:
    copy = fleet.one.with_name("copy")
    shutil.copytree(fleet.one, copy)
    fleet.grow()
    fleet.collect()
    shutil.rmtree(fleet.one)
    copy.rename(fleet.one)
    assert "were collected before" in fleet.results()[0].why
    assert set(grave(fleet.verify(fleet.one))) == {"root.refused", "root.fork"}


def foreign(fleet: Fleet) -> None:
    """The same name, another key, everything signed anew."""
    checkpoint = open_epochs(fleet.one)[0].checkpoint
    twin = Signer(checkpoint.origin, bytes(32))
    (fleet.one / "log/1/checkpoint").write_bytes(twin.sign(checkpoint.text()))
    (fleet.one / "keys/log-1.pub").write_text(twin.verifier.encode(), encoding="ascii")


def spoil(folder: Path) -> None:
    """Every hash of the tiles above."""
    for path in folder.iterdir():
        path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (foreign, "another key"),
        (lambda fleet: edit(fleet.one / "log/1/checkpoint", flip), ""),
        (lambda fleet: (fleet.one / "log/1/checkpoint").unlink(), "FileNotFoundError"),
        (lambda fleet: shutil.rmtree(fleet.one / "log/1/tile/0"), "cannot be read"),
        (lambda fleet: spoil(fleet.one / "log/1/tile/1/000.p"), "do not give its root"),
    ],
)
def test_what_is_not_that_logs_checkpoint_is_refused_and_the_others_are_taken(
    fleet: Fleet, damage: Callable[[Fleet], object], why: str
) -> None:
    fleet.collect()
    fleet.grow()
    damage(fleet)
    refused, taken = fleet.results()
    assert (refused.outcome, taken.outcome) == ("refused", "collected")
    assert why in refused.why
    assert "root.refused" in grave(fleet.verify())


def test_two_copies_that_went_two_ways_are_not_both_taken(fleet: Fleet) -> None:
    shutil.rmtree(fleet.two)
    shutil.copytree(fleet.one, fleet.two)
    fleet.grow()
    assert sorted(fleet.collect()) == ["collected", "refused"]


def told(fleet: Fleet, facts: dict[str, object], note: bytes) -> None:
    """A leaf of the root log as somebody with its key could write it."""

    async def write() -> None:
        recorder = await Recorder.open(fleet.root, fleet.clock, checkpoint_interval=3600)
        await recorder.append(Event(type=EventType.CHECKPOINT_COLLECTED, data=facts, bodies={"body": note}))
        await recorder.close()

    asyncio.run(write())


def test_what_was_put_into_the_root_log_without_collecting_is_found(fleet: Fleet) -> None:
    fleet.collect()
    (one, _) = collected(fleet.root)
    checkpoint = one.checkpoint
    facts: dict[str, object] = {"origin": checkpoint.origin, "key": one.key, "size": 3, "root": checkpoint.root.hex()}
    told(fleet, facts, one.note)
    assert grave(fleet.verify()) == ["root.signature"]
    told(fleet, facts | {"size": checkpoint.size}, one.note)
    assert grave(fleet.verify()) == ["root.signature", "root.backwards"]


@pytest.fixture
def chained(fleet: Fleet) -> tuple[Fleet, Chain, Verifier]:
    fleet.collect()
    did = search(fleet.one, Query(), limit=1)
    story = tell(fleet.one, next(iter(did)).did)
    assert story is not None
    chain = make_chain(fleet.root, open_epochs(fleet.one)[0], story.decided.number)
    return fleet, chain, load_verifier(fleet.root / "keys/log-1.pub")


def test_a_leaf_is_proved_through_both_logs_with_the_root_logs_key_alone(
    chained: tuple[Fleet, Chain, Verifier],
) -> None:
    fleet, chain, key = chained
    shutil.rmtree(fleet.one)
    held = check_chain(chain, key)
    assert held.leaf.leaf.type == "statement.decided"
    assert held.root.leaf.type == "checkpoint.collected"
    assert held.leaf.checkpoint.root.hex() == held.root.leaf.facts()["root"]


def test_a_chain_whose_links_do_not_belong_together_proves_nothing(chained: tuple[Fleet, Chain, Verifier]) -> None:
    fleet, chain, key = chained
    whole_log(fleet.one, sessions=2, clock=fleet.clock)
    fleet.collect()
    last = open_epochs(fleet.one)[0]
    other = make_chain(fleet.root, last, last.checkpoint.size - 1)
    with pytest.raises(ProofError, match="another checkpoint"):
        check_chain(Chain(chain.leaf, other.root), key)
    with pytest.raises(ProofError):
        check_chain(Chain(chain.leaf.replace(b"index ", b"index 1"), chain.root), key)
    with pytest.raises(ProofError):
        check_chain(chain, Signer(key.name, bytes(32)).verifier)


def test_a_leaf_that_was_not_collected_yet_cannot_be_proved(fleet: Fleet) -> None:
    fleet.collect()
    fleet.grow()
    reader = open_epochs(fleet.one)[0]
    with pytest.raises(ProofError, match="collected yet"):
        make_chain(fleet.root, reader, reader.checkpoint.size - 1)
