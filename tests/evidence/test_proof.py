"""A proof file: written from a log, read without one, and good for nothing when one bit of it is another."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence.explain import tell
from gateway.evidence.keys import find_verifier, load_verifier
from gateway.evidence.note import Verifier
from gateway.evidence.proof import HEADER, ProofError, format_proof, origin_of, verify_proof, write_proof
from gateway.evidence.recorder import Recorder
from tests.evidence.world import TickClock, decided, whole_log


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Verifier, list[bytes], list[str]]:
    folder = tmp_path_factory.mktemp("log")
    ids = whole_log(folder, sessions=60, statements=5)
    stories = [tell(folder, did) for did in ids[::20]]
    return load_verifier(folder / "keys/log-1.pub"), [write_proof(s) for s in stories if s is not None], ids[::20]


def test_every_proof_holds_under_the_logs_key_alone(proofs: tuple[Verifier, list[bytes], list[str]]) -> None:
    verifier, files, ids = proofs
    assert [verify_proof(data, verifier).leaf.did for data in files] == ids
    assert {origin_of(data) for data in files} == {verifier.name}
    assert all(data.startswith(f"{HEADER}\nextra ".encode()) for data in files)


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), which=st.integers(0, 14))
def test_a_proof_with_one_bit_changed_proves_nothing_else(
    proofs: tuple[Verifier, list[bytes], list[str]], where: float, bit: int, which: int
) -> None:
    verifier, files, ids = proofs
    data = bytearray(files[which])
    data[int(where * len(data))] ^= 1 << bit
    try:
        proven = verify_proof(bytes(data), verifier)
    except ProofError:
        return
    assert proven.leaf.did == ids[which]  # the line of a signature nobody knows may say what it likes
    assert bytes(data).partition(b"\n\n")[0] == files[which].partition(b"\n\n")[0]


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_with_a_reason(proofs: tuple[Verifier, list[bytes], list[str]], junk: bytes) -> None:
    for data in (junk, f"{HEADER}\n".encode() + junk, f"{HEADER}\nextra AA==\nindex 0\n\n".encode() + junk):
        with pytest.raises(ProofError):
            verify_proof(data, proofs[0])


@pytest.mark.parametrize("index", ["01", "-1", "+1", "1 ", "x", ""])
def test_an_index_has_one_spelling(proofs: tuple[Verifier, list[bytes], list[str]], index: str) -> None:
    lines = proofs[1][0].split(b"\n")
    lines[2] = f"index {index}".encode()
    with pytest.raises(ProofError):
        verify_proof(b"\n".join(lines), proofs[0])


def test_another_logs_key_accepts_nothing(proofs: tuple[Verifier, list[bytes], list[str]], tmp_path: Path) -> None:
    whole_log(tmp_path, 1, 1)
    with pytest.raises(ProofError, match="no known key"):
        verify_proof(proofs[1][0], load_verifier(tmp_path / "keys/log-1.pub"))
    assert find_verifier(tmp_path / "keys", proofs[0].name) is None


def test_what_is_proved_must_be_a_leaf(proofs: tuple[Verifier, list[bytes], list[str]]) -> None:
    note = proofs[1][0].partition(b"\n\n")[2]
    with pytest.raises(ProofError, match="is not number 3"):
        verify_proof(format_proof(b"{}", 3, (), note), proofs[0])


def test_a_leaf_that_is_not_signed_yet_has_no_proof(tmp_path: Path) -> None:
    async def write() -> None:
        recorder = await Recorder.open(tmp_path, TickClock(), checkpoint_interval=3600)
        await recorder.append(decided("d-1", durable=True))
        story = tell(tmp_path, "d-1")
        assert story is not None
        with pytest.raises(ProofError, match="not signed yet"):
            write_proof(story)
        await recorder.close()

    asyncio.run(write())
