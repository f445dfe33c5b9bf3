"""Exports as lines: documents that say everything, a film that plays."""

import msgspec

from gateway.cli.audit.replaying.blocks import Block, Blocks
from gateway.cli.audit.replaying.exports import as_cast, as_lines
from gateway.cli.audit.replaying.stream import events
from tests.cli.audit.replaying.world import session
from tests.evidence.recording.world import header

DIDS = ("d1", "d2", "d3", "d4")


def test_every_message_is_one_document_with_its_decision() -> None:
    lines = list(as_lines(events(session(DIDS))))
    documents = [msgspec.json.decode(line) for line in lines]
    assert len(documents) == sum(1 for _ in events(session(DIDS)))
    assert {document["from"] for document in documents} == {"agent", "gateway", "record"}
    assert [d["did"] for d in documents if d.get("type") == "Query"] == ["d1", "d3", "d4"]
    assert [d["outcome"] for d in documents if d.get("is") == "outcome"] == ["done", "done", "done", "deny"]


def test_a_document_moves_no_cursor() -> None:
    text = b"".join(as_lines(events(session(DIDS)))).decode()
    assert all(character.isprintable() or character == "\n" for character in text)


def test_a_film_has_a_header_and_its_times_do_not_go_back() -> None:
    lines = list(as_cast(Blocks(colours=True).of(events(session(DIDS))), header(), 2.0))
    front, *rest = map(msgspec.json.decode, lines)
    assert (front["version"], front["width"], front["idle_time_limit"]) == (2, 120, 2.0)
    assert [time for time, _, _ in rest] == sorted(time for time, _, _ in rest)
    assert {kind for _, kind, _ in rest} == {"o"}
    assert all("\n" not in text.replace("\r\n", "") for _, _, text in rest)


def test_a_film_goes_on_where_a_clock_went_back() -> None:
    _, first, second = map(msgspec.json.decode, as_cast([Block(2_000_000_000, "a"), Block(1, "b")], header(), 1.0))
    assert (first, second) == ([2.0, "o", "a"], [2.0, "o", "b"])
