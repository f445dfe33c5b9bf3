"""What a witness is asked holds by its own specification, and every answer it can give is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.cosign import Cosignature
from gateway.evidence.merkle import leaf_hash, range_root, root_of
from gateway.evidence.note import Checkpoint, Signer, split_note
from gateway.evidence.witness import (
    GRAVE,
    MAX_ANSWER,
    MEANING,
    REFUSALS,
    Answer,
    Asked,
    Behind,
    Trouble,
    Why,
    request,
    understand,
)
from tests.evidence.witnesses import CosigningKey, StrictWitness

LOG = Signer("log.example/1", b"l" * 32)
WITNESS = CosigningKey()
AT = 1_900_000_000
LEAVES = [leaf_hash(bytes([number])) for number in range(70)]


def node(level: int, index: int) -> bytes:
    return root_of(LEAVES[index << level : (index + 1) << level])


def checkpoint(size: int) -> tuple[Checkpoint, bytes]:
    made = Checkpoint("log.example/1", size, range_root(node, 0, size))
    return made, LOG.sign(made.text())


def asked(old: int, size: int) -> Asked:
    made, note = checkpoint(size)
    return Asked(old, made, split_note(note)[0])


@given(st.lists(st.integers(1, 70), min_size=1, max_size=5).map(sorted))
def test_a_strict_witness_cosigns_every_growing_row_of_trees(sizes: list[int]) -> None:
    witness, old = StrictWitness(WITNESS, LOG.verifier, AT), 0
    for size in sizes:
        made, note = checkpoint(size)
        answer = Answer(*witness.answer(request(old, node, made, note)))
        found = understand(answer, asked(old, size), WITNESS.key, AT)
        assert isinstance(found, Cosignature)
        old = size


@given(seen=st.integers(1, 70), thought=st.integers(0, 70), size=st.integers(1, 70))
def test_a_witness_that_is_elsewhere_says_where_and_is_understood(seen: int, thought: int, size: int) -> None:
    witness = StrictWitness(WITNESS, LOG.verifier, AT)
    first, note = checkpoint(seen)
    witness.answer(request(0, node, first, note))
    made, note = checkpoint(size)
    old = min(thought, size)
    found = understand(Answer(*witness.answer(request(old, node, made, note))), asked(old, size), WITNESS.key, AT)
    if old == seen:
        assert isinstance(found, Cosignature)
    elif seen > size:
        assert found == Trouble(Why.AHEAD, f"{seen} leaves")
    else:
        assert found == Behind(seen)


@pytest.mark.parametrize("old", [7, 20])
def test_a_witness_of_another_history_refuses_and_that_is_grave(old: int) -> None:
    witness = StrictWitness(WITNESS, LOG.verifier, AT)
    other = Checkpoint("log.example/1", old, b"x" * 32)
    witness.answer(b"old 0\n\n" + LOG.sign(other.text()))
    made, note = checkpoint(20)
    found = understand(Answer(*witness.answer(request(old, node, made, note))), asked(old, 20), WITNESS.key, AT)
    assert isinstance(found, Trouble)
    assert found.why is Why.OTHER_HISTORY
    assert found.why in GRAVE


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (400, Why.MALFORMED),
        (403, Why.UNKNOWN_KEY),
        (404, Why.UNKNOWN_LOG),
        (422, Why.OTHER_HISTORY),
        (429, Why.STATUS),
        (500, Why.STATUS),
        (301, Why.STATUS),
        (204, Why.STATUS),
    ],
)
def test_each_status_has_its_meaning(status: int, why: Why) -> None:
    found = understand(Answer(status, b"anything"), asked(0, 5), WITNESS.key, AT)
    assert found == Trouble(why, str(status))
    assert found.refused == (why in REFUSALS)
    assert MEANING[why]


@pytest.mark.parametrize("body", [b"", b"-1\n", b"01\n", b"1 \n", b"9" * 30, "٣\n".encode(), b"1\n1\n", b"0x10\n"])
def test_a_conflict_without_a_size_is_no_answer(body: bytes) -> None:
    assert understand(Answer(409, body), asked(2, 5), WITNESS.key, AT) == Trouble(Why.ANSWER, "409 without a size")


def line(at: int = AT, size: int = 5, signer: CosigningKey = WITNESS) -> bytes:
    return f"{signer.line(asked(0, size).text, at)}\n".encode()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", Why.ANSWER),
        (b"\xff\n", Why.ANSWER),
        (line().removesuffix(b"\n"), Why.ANSWER),
        (line() * (MAX_ANSWER // 100), Why.ANSWER),
        (b"thank you\n", Why.SIGNATURE),
        (line() + b"\n", Why.SIGNATURE),
        (line(size=6), Why.SIGNATURE),
        (line(signer=CosigningKey(seed=b"o" * 32)), Why.SIGNATURE),
        (line().replace(b"w1 ", b"w2 "), Why.SIGNATURE),
        (line(AT + 301), Why.CLOCK),
        (line(AT - 301), Why.CLOCK),
        (line(0), Why.CLOCK),
    ],
)
def test_a_lying_witness_is_not_believed(body: bytes, why: Why) -> None:
    found = understand(Answer(200, body), asked(0, 5), WITNESS.key, AT)
    assert isinstance(found, Trouble)
    assert found.why is why
    assert not found.refused


def test_cosignatures_of_unknown_keys_are_passed_over() -> None:
    body = line(signer=CosigningKey("other.example", seed=b"o" * 32)) + line()
    found = understand(Answer(200, body), asked(0, 5), WITNESS.key, AT)
    assert isinstance(found, Cosignature)
    assert found.line.encode() + b"\n" == line()


@given(st.binary(max_size=300), st.sampled_from([200, 409]))
def test_no_answer_makes_it_stumble(body: bytes, status: int) -> None:
    assert not isinstance(understand(Answer(status, body), asked(0, 5), WITNESS.key, AT), Cosignature)
