"""Going through a log: what the tree cannot show, such as a leaf that was never written."""

from collections.abc import Callable

import msgspec
import pytest

from gateway.core.events import EventType
from gateway.evidence.leaf import Leaf, encode_leaf
from gateway.evidence.ledger import Ledger
from gateway.evidence.walk import SHREDDED, Walk

SECOND = 1_000_000_000


class Story:
    """Writes leaves as the recorder would."""

    def __init__(self) -> None:
        self.walk = Walk("log.test")
        self.index = 0
        self.now = 0
        self.seqs: dict[str, int] = {}

    def tell(self, kind: str, sid: str = "", did: str = "", **more: object) -> None:
        self.now += 1000
        self.seqs[sid] = self.seqs.get(sid, 0) + 1
        data = more.pop("data", None)
        leaf = Leaf(type=kind, sid=sid, did=did, ok=True, seq=self.seqs[sid], t=str(self.now), salt="b64:", v=1)
        raw = msgspec.UNSET if data is None else msgspec.Raw(msgspec.json.encode(data))
        self.put(encode_leaf(msgspec.structs.replace(leaf, data=raw, **more)))

    def put(self, data: bytes) -> None:
        self.walk.leaf(self.index, data)
        self.index += 1

    def opened(self) -> None:
        self.tell("log.opened", data={"origin": "log.test", "size": self.index})

    def found(self, *, finish: bool = True) -> list[tuple[str, bool]]:
        if finish:
            self.walk.finish()
        return [(finding.name, finding.grave) for finding in self.walk.findings]


def good() -> Story:
    story = Story()
    story.opened()
    story.tell("session.opened", "s")
    story.tell("statement.decided", "s", "d")
    story.tell("statement.finished", "s", "d", outcome="done")
    story.tell("session.closed", "s")
    return story


def test_a_whole_story_has_no_finding() -> None:
    story = good()
    story.tell("log.closed")
    assert story.found() == []
    assert (story.walk.leaves, story.walk.decisions, story.walk.sessions, story.walk.unknown) == (6, 1, 1, 0)


def test_an_open_log_is_said_to_be_open() -> None:
    assert good().found() == [("log.open", False)]


def skip(story: Story) -> None:
    story.seqs["s"] += 1
    story.tell("session.closed", "s")


def repeat(story: Story) -> None:
    story.seqs["s"] = 0
    story.tell("session.opened", "s")
    story.tell("session.closed", "s")


def unfinished(story: Story) -> None:
    story.tell("session.opened", "x")
    story.tell("statement.decided", "x", "e")
    story.tell("session.closed", "x")
    story.tell("statement.finished", "x", "e")


def decide_twice(story: Story) -> None:
    for _ in range(2):
        story.tell("statement.decided", did="e")
    story.tell("statement.finished", did="e")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (skip, ["session.gap"]),
        (repeat, ["session.repeated"]),
        (unfinished, ["decision.unfinished"]),
        (decide_twice, ["decision.repeated"]),
        (lambda story: story.tell("statement.finished", did="x"), ["decision.missing"]),
        (lambda story: story.put(b"{}"), ["leaf.unreadable"]),
        (lambda story: story.tell("config.loaded", t="soon"), ["leaf.unreadable"]),
        (lambda story: story.tell("config.loaded", body="sha256:xyz"), ["leaf.unreadable"]),
        (lambda story: story.tell("log.opened", data={"origin": "other", "size": 5}), ["log.misplaced", "session.gap"]),
        (lambda story: story.tell("heartbeat", data={"open": 1, "digest": "sha256:"}), ["heartbeat.mismatch"]),
        (lambda story: story.tell("log.degraded", data={"lost": 2}), ["log.degraded"]),
    ],
)
def test_what_was_left_out_or_put_in_is_grave(change: Callable[[Story], None], names: list[str]) -> None:
    story = good()
    change(story)
    assert [name for name, grave in story.found(finish=False) if grave] == names


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda story: story.tell("log.recovered", data={"decisions": 1}), "log.recovered"),
        (lambda story: story.tell("log.degraded", data={"lost": 0}), "log.degraded"),
        (lambda story: story.tell("config.loaded", t="5"), "time.backwards"),
        (lambda story: story.tell("config.loaded", scrubbed=("data",)), "leaf.scrubbed"),
        (lambda story: story.tell("log.closed", t=str(20 * SECOND)), "heartbeat.late"),
    ],
)
def test_what_an_auditor_should_know_is_noted(change: Callable[[Story], None], name: str) -> None:
    story = good()
    change(story)
    assert story.found(finish=False) == [(name, False)]


def test_a_leaf_that_could_have_been_written_otherwise_is_grave() -> None:
    story = Story()
    leaf = encode_leaf(Leaf(type="config.loaded", ok=True, seq=1, t="1", salt="b64:", v=1))
    story.put(leaf.replace(b'"ok":true', b'"ok": true'))
    assert story.found(finish=False) == [("leaf.not_canonical", True)]


def test_heartbeats_that_know_the_same_sessions_are_fine() -> None:
    story, ledger = good(), Ledger()
    story.tell("session.opened", "t")
    ledger.sessions["t"] = (2, "")
    story.tell("heartbeat", data={"open": 1, "digest": ledger.open_digest()})
    assert story.found(finish=False) == []


def test_a_closed_log_may_leave_nothing_open() -> None:
    story = good()
    story.tell("session.opened", "t")
    story.tell("statement.decided", "t", "e")
    story.tell("log.closed")
    assert story.found() == [("decision.unfinished", True), ("session.open", True)]


def test_a_log_that_is_written_may_leave_things_open() -> None:
    story = good()
    story.tell("session.opened", "t")
    story.tell("statement.decided", "t", "e")
    assert [grave for _, grave in story.found()] == [False, False, False]


def test_unknown_outcomes_are_counted() -> None:
    story = good()
    story.tell("statement.decided", did="e")
    story.tell("statement.finished", did="e", outcome="outcome_unknown")
    assert story.walk.unknown == 1


def test_bodies_are_named_once_with_the_leaf_that_named_them_first() -> None:
    story = good()
    digest = "ab" * 32
    story.tell("config.loaded", body=f"sha256:{digest}")
    story.tell("config.loaded", body=f"sha256:{digest}", data=f"sha256:{'cd' * 32}")
    assert story.walk.take_bodies() == [(digest, 5), ("cd" * 32, 6)]
    assert story.walk.take_bodies() == []
    assert story.walk.bodies == 2


def test_bodies_whose_destruction_is_recorded_are_known() -> None:
    story = good()
    story.tell(SHREDDED, data={"ab" * 32: True, "cd" * 32: False})
    assert story.walk.shredded == {"ab" * 32}


def test_every_type_the_walk_looks_at_is_a_type_of_leaf() -> None:
    assert {"log.opened", "log.closed", "heartbeat"} <= {kind.value for kind in EventType}
