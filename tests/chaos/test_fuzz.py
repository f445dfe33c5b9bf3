"""A million messages no well-behaved peer sends: no crash, no hang, nothing forwarded without a decision.

QUERYWARDEN_SEED chooses them; QUERYWARDEN_FUZZ is the number of messages, of which one in four goes through the whole
session machine and the others through the codecs.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from gateway.core.errors import ProtocolError
from gateway.wire.postgres import client_messages, server_messages
from gateway.wire.postgres.frames import ClientReader, DataRun, Frame, FrameReader, ServerReader
from tests.chaos.machine import Hostile, Ledger, Seen, run_machine
from tests.chaos.streams import client_message, pieces, seeded, server_message, stream
from tests.frontends.scripted import make_stage, play
from tests.support import rawpg

SEED = int(os.environ.get("QUERYWARDEN_SEED", "4"))
COUNT = int(os.environ.get("QUERYWARDEN_FUZZ", "1000000"))
PER_STREAM = 200

SERVER_READERS: dict[bytes, Callable[[Frame], object]] = {
    b"R": server_messages.parse_authentication,
    b"S": server_messages.parse_parameter_status,
    b"Z": server_messages.parse_ready_for_query,
    b"T": server_messages.parse_row_description,
    b"t": server_messages.parse_parameter_description,
    b"E": server_messages.parse_diagnostic,
    b"N": server_messages.parse_diagnostic,
    b"C": server_messages.parse_command_complete,
    b"G": server_messages.parse_copy_response,
    b"H": server_messages.parse_copy_response,
    b"A": server_messages.parse_notification,
    b"K": server_messages.parse_backend_key,
}


def open_reader() -> ClientReader:
    reader = ClientReader()
    reader.open()
    return reader


def cut(reader: FrameReader, chunks: Sequence[bytes]) -> tuple[list[Frame | DataRun], bool]:
    """What a reader makes of the chunks, and whether it gave up."""
    found: list[Frame | DataRun] = []
    try:
        for chunk in chunks:
            found.extend(reader.receive_data(chunk))
    except ProtocolError:
        return found, True
    return found, False


def read(item: Frame | DataRun, *, of_client: bool) -> None:
    """Read one message's content; a ProtocolError is the only complaint there may be."""
    try:
        if isinstance(item, DataRun):
            if item.kind == b"D":
                for payload in item.payloads():
                    server_messages.data_row_values(payload)
                list(server_messages.cells(item.raw))
        elif of_client:
            client_messages.parse(item)
        elif (reader := SERVER_READERS.get(item.kind)) is not None:
            reader(item)
    except ProtocolError:
        pass


def frames_of(found: Sequence[Frame | DataRun]) -> int:
    return sum(item.count if isinstance(item, DataRun) else 1 for item in found)


def codec_stream(seed: int, *, of_client: bool) -> int:
    """One stream through the codecs, whole and cut; how many messages were read."""
    rng = seeded(f"{seed} {of_client}")
    make = client_message if of_client else server_message
    broken = rng.choice((0.0, 0.002, 0.05))
    data = b"".join(stream(rng, make, PER_STREAM, wrong=0.3, broken=broken))
    new: Callable[[], FrameReader] = open_reader if of_client else ServerReader
    whole, gave_up = cut(new(), [data])
    again, gave_up_again = cut(new(), list(pieces(rng, data)))
    raw = b"".join(item.raw for item in whole)
    where = f"QUERYWARDEN_SEED: codec stream {seed}, client {of_client}"
    assert data.startswith(raw), where
    assert (raw, gave_up) == (b"".join(item.raw for item in again), gave_up_again), where
    for item in whole:
        read(item, of_client=of_client)
    return frames_of(whole)


def machines(count: int) -> tuple[Counter[str], int, list[tuple[int, list[str]]]]:
    """Sessions until `count` messages were taken: how they ended, how many messages it were, and faults by seed."""
    complaints: list[str] = []

    async def run() -> tuple[Counter[str], int, list[tuple[int, list[str]]]]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
        reasons: Counter[str] = Counter()
        faults: list[tuple[int, list[str]]] = []
        done, number = 0, SEED * 1_000_000
        while done < count and len(faults) < 5:
            seen: Seen = await run_machine(number)
            done += seen.given + seen.answered
            reasons[seen.reason] += 1
            if seen.faults:
                faults.append((number, seen.faults))
            number += 1
        return reasons, done, faults

    found = asyncio.run(run())
    assert not complaints, complaints[:3]
    return found


@pytest.mark.timeout(120 + COUNT // 2000)
def test_fuzzed_codecs_complain_of_nothing_but_the_protocol_and_any_chunking_is_read_alike(
    say: Callable[[str], None],
) -> None:
    total, number = 0, SEED * 1_000_000
    while total < COUNT - COUNT // 4:
        total += codec_stream(number, of_client=True) + codec_stream(number, of_client=False)
        number += 1
    say(f"fuzz: {total:,} messages through the codecs, seed {SEED}")


@pytest.mark.timeout(120 + COUNT // 1000)
def test_a_fuzzed_session_forwards_nothing_undecided_and_always_comes_to_an_end(say: Callable[[str], None]) -> None:
    reasons, done, faults = machines(COUNT // 4)
    say(f"fuzz: {done:,} messages through {reasons.total():,} sessions, seed {SEED}; {dict(reasons.most_common(6))}")
    assert not faults, f"run_machine(seed): {faults}"
    assert len(reasons) > 4, "too few ways to end were met"


def test_what_reaches_a_server_without_a_decision_is_noticed() -> None:
    ledger = Ledger()
    ledger.see("Q", "SELECT 1")
    ledger.see("P", "SELECT 2")
    assert ledger.uncovered == [("Q", "SELECT 1"), ("P", "SELECT 2")]


def test_copy_data_behind_a_parse_waits_for_no_answer_the_server_keeps_to_itself() -> None:
    async def run() -> bytes:
        data = rawpg.parse("SELECT 1") + rawpg.message("d", b"1") + rawpg.message("c") + rawpg.SYNC + rawpg.TERMINATE
        return await play(make_stage(Hostile(seeded(0), 0.0)), [data])

    assert asyncio.run(run()) == server_messages.PARSE_COMPLETE + server_messages.ready_for_query(b"I")
