"""Whole conversations: any message in any order, cut anywhere, is answered as the server would, and decided first."""

import asyncio
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.frontends.scripted import ServerModel, cut, make_stage, play
from tests.frontends.world import check_records
from tests.support import rawpg
from tests.support.rawpg import FLUSH, SYNC, TERMINATE, bind, close, describe, execute, message, parse, query

_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_STATE = re.compile(rb"\0C([0-9A-Z]{5})\0")
TEXTS = ["SELECT 1", "SELECT THREE", "SELECT 1/0", "SELECT forbidden", "BEGIN", "COMMIT", "ROLLBACK", ""]
NAMES = ["", "a", "b"]
texts, names = st.sampled_from(TEXTS), st.sampled_from(NAMES)
copies = st.sampled_from(["COPY t FROM STDIN"])
DONE, FAIL = message("c"), message("f", b"no\0")
COPY = query("COPY t FROM STDIN")
GOOD, WRONG = message("d", b"good"), message("d", b"bad")

extended = st.one_of(
    st.builds(parse, texts, names),
    st.builds(lambda portal, name: bind([], portal, name), names, names),
    st.builds(describe, st.sampled_from("SP"), names),
    st.builds(execute, names, st.sampled_from([0, 1, 2])),
    st.builds(close, st.sampled_from("SP"), names),
    st.just(FLUSH),
)
whole = st.builds(lambda text: parse(text) + bind() + describe() + execute() + SYNC, texts)
simple = st.builds(query, st.one_of(texts, st.just("SELECT 1; SELECT 1/0; SELECT 1"), st.just("BEGIN; SELECT 1")))
between = st.lists(st.sampled_from([GOOD, GOOD, WRONG, SYNC, FLUSH]), max_size=5).map(b"".join)
ends = st.sampled_from([DONE, FAIL])
copying = st.builds(lambda data, end: COPY + data + end, between, ends)
copying_extended = st.builds(
    lambda first, data, end, after: parse("COPY t FROM STDIN") + bind() + execute() + first + data + end + after + SYNC,
    st.sampled_from([b"", SYNC, SYNC + SYNC]),
    between,
    ends,
    st.sampled_from([b"", parse("SELECT 1") + bind() + execute(), SYNC + query("SELECT 1")]),
)
scripts = st.lists(st.one_of(extended, extended, st.just(SYNC), whole, simple), max_size=14)
with_copy = st.lists(st.one_of(whole, simple, copying, copying_extended), max_size=6)
sizes = st.lists(st.integers(min_value=1, max_value=40), max_size=4)


def through(script: list[bytes], client: list[int], server: list[int]) -> bytes:
    """What the client is shown, decision ids made equal."""

    async def run() -> bytes:
        stage = make_stage(ServerModel(), server)
        shown = await play(stage, cut(b"".join(script) + SYNC + TERMINATE, client))
        events = stage.log.events
        check_records([event for event in events if event.type.value.startswith("statement")])
        return shown

    return _ID.sub(b"#" * 36, asyncio.run(run()))


def directly(script: list[bytes]) -> bytes:
    """What the server shows when it is the one that rejects what policy denies."""
    return ServerModel(lambda text: "forbidden" in text).receive(b"".join(script) + SYNC)


def kinds(data: bytes, *, codes: bool = False) -> list[tuple[str, bytes]]:
    """Types in order, with what of their content does not differ by who refuses; `codes`: SQLSTATEs too."""
    found = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        kind, body = data[:1].decode(), data[5 : 1 + length]
        found.append((kind, body if kind in "ZCD" else _STATE.findall(body)[0] if kind == "E" and codes else b""))
        data = data[1 + length :]
    return found


@settings(max_examples=150, deadline=None)
@given(scripts, sizes, sizes)
def test_every_answer_is_the_servers_in_type_and_order(
    script: list[bytes], client: list[int], server: list[int]
) -> None:
    assert kinds(through(script, client, server)) == kinds(directly(script))


@settings(max_examples=100, deadline=None)
@given(with_copy, sizes, sizes)
def test_copy_from_the_client_keeps_the_order_too(script: list[bytes], client: list[int], server: list[int]) -> None:
    assert kinds(through(script, client, server)) == kinds(directly(script))


@settings(max_examples=60, deadline=None)
@given(scripts, sizes, sizes, sizes, sizes)
def test_any_cutting_of_both_sides_gives_the_same(
    script: list[bytes], one: list[int], other: list[int], third: list[int], fourth: list[int]
) -> None:
    assert kinds(through(script, one, other), codes=True) == kinds(through(script, third, fourth), codes=True)


junk = st.one_of(
    extended, whole, simple, copying, st.just(SYNC),
    st.builds(message, st.sampled_from("QPBDECHSdcfFXpyzWvnN"), st.binary(max_size=12)),
    st.binary(max_size=9),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(junk, max_size=12), sizes, sizes)
def test_no_sequence_of_messages_crashes_hangs_or_forwards_what_was_not_decided(
    script: list[bytes], client: list[int], server: list[int]
) -> None:
    shown = through([*script, SYNC, rawpg.message("f", b"\0"), SYNC], client, server)
    assert all(kind in "123CDEGIKNSTZnst" for kind, _ in kinds(shown))
