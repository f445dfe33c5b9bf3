"""What a witness has seen is compared with the log as it lies there, and nothing else is called a witness."""

import shutil
from pathlib import Path

import pytest

from gateway.evidence.cosign import WitnessKey, with_lines
from gateway.evidence.cosigned import cosigned_file, keep_cosigned
from gateway.evidence.keys import load_keys
from gateway.evidence.merkle import range_root
from gateway.evidence.note import Checkpoint
from gateway.evidence.reader import LogReader
from gateway.evidence.verify import Options, Report, verify
from gateway.evidence.witnessed import Witnessed
from tests.evidence.witnesses import CosigningKey
from tests.evidence.world import NOW, TickClock, whole_log

WITNESS = CosigningKey()
AT = NOW // 10**9 - 7200
Finding = tuple[str, bool]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    whole_log(folder, sessions=40, statements=5)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    made = tmp_path / "copy"
    shutil.copytree(whole, made)
    return made


def cosign(folder: Path, size: int, root: bytes | None = None, at: int = AT, signer: CosigningKey = WITNESS) -> bytes:
    """What lies there after this witness cosigned the tree of that size."""
    reader, log = LogReader(folder, 1), load_keys(folder / "keys", 1).signer
    root = root or range_root(reader.node(), 0, min(size, reader.checkpoint.size))
    text = Checkpoint(log.verifier.name, size, root).text()
    note = with_lines(log.sign(text), [signer.line(text, at)])
    keep_cosigned(reader.prefix, signer.key, note)
    return note


def checked(folder: Path, *keys: WitnessKey) -> Report:
    return verify(folder, TickClock(), options=Options(witnesses=keys))


def about_witnesses(report: Report) -> list[Finding]:
    return [(finding.name, finding.grave) for finding in report.findings if finding.name.startswith("witness.")]


@pytest.mark.parametrize("size", [1, 100, 256, 300])
def test_a_cosigned_beginning_of_the_log_is_said_with_its_age(folder: Path, size: int) -> None:
    cosign(folder, size)
    report = checked(folder, WITNESS.key)
    assert report.ok
    assert about_witnesses(report) == [("witness.cosigned", False)]
    (said,) = (finding.text for finding in report.findings if finding.name == "witness.cosigned")
    assert f"cosigned {size} leaves" in said
    assert said.endswith("2 hours ago")
    assert [(each.name, each.size, each.at) for each in report.witnesses] == [(WITNESS.key.name, size, str(AT * 10**9))]


def test_the_checkpoint_itself_may_be_the_cosigned_one(folder: Path) -> None:
    size = LogReader(folder, 1).checkpoint.size
    note = cosign(folder, size)
    (folder / "log/1/checkpoint").write_bytes(note)
    for _ in range(2):
        assert about_witnesses(checked(folder, WITNESS.key)) == [("witness.cosigned", False)]
        cosigned_file(folder / "log/1", WITNESS.key).unlink(missing_ok=True)


def test_without_any_there_is_no_independent_witness(folder: Path) -> None:
    assert about_witnesses(checked(folder)) == [("witness.none", False)]
    found = about_witnesses(checked(folder, WITNESS.key))
    assert found == [("witness.silent", False), ("witness.none", False)]


def test_a_cosignature_whose_key_was_not_given_is_no_witness(folder: Path) -> None:
    cosign(folder, 100)
    assert about_witnesses(checked(folder)) == [("witness.unknown", False), ("witness.none", False)]


def test_the_last_of_several_witnesses_is_silent_and_the_others_count(folder: Path) -> None:
    second, third = (CosigningKey(f"w{seed}", seed=bytes([seed]) * 32) for seed in (2, 3))
    cosign(folder, 100)
    cosign(folder, 100, signer=second, at=AT + 60)
    report = checked(folder, WITNESS.key, second.key, third.key)
    assert sorted(about_witnesses(report)) == [("witness.cosigned", False)] * 2 + [("witness.silent", False)]


def test_a_log_that_was_written_anew_with_the_real_key_is_named(folder: Path) -> None:
    cosign(folder, 100, root=b"x" * 32)
    report = checked(folder, WITNESS.key)
    assert not report.ok
    assert ("witness.other_tree", True) in about_witnesses(report)
    assert ("witness.none", False) in about_witnesses(report)


def test_a_log_that_was_cut_before_what_a_witness_has_seen_is_named(folder: Path) -> None:
    cosign(folder, 100_000)
    assert ("witness.ahead", True) in about_witnesses(checked(folder, WITNESS.key))


@pytest.mark.parametrize("old", [b"witness.example", b"\n100\n", b"log.test"])
def test_a_changed_cosigned_checkpoint_is_named(folder: Path, old: bytes) -> None:
    path = cosigned_file(folder / "log/1", WITNESS.key)
    note = cosign(folder, 100)
    new = {b"\n100\n": b"\n101\n"}.get(old, old.swapcase())
    path.write_bytes(note.replace(old, new, 1))
    report = checked(folder, WITNESS.key)
    assert about_witnesses(report)[-1] == ("witness.none", False)
    assert report.ok is (old == b"witness.example")


def test_a_changed_signature_is_named(folder: Path) -> None:
    path = cosigned_file(folder / "log/1", WITNESS.key)
    note = bytearray(cosign(folder, 100))
    note[-8] ^= 1 if chr(note[-8] ^ 1).isalnum() else 3
    path.write_bytes(note)
    assert ("witness.signature", True) in about_witnesses(checked(folder, WITNESS.key))


def test_a_cosigned_checkpoint_that_cannot_be_compared_is_named(folder: Path) -> None:
    cosign(folder, 300)
    shutil.rmtree(folder / "log/1/tile/0/001.p")
    assert ("witness.unproved", True) in about_witnesses(checked(folder, WITNESS.key))


@pytest.mark.parametrize("bit", [1])
def test_no_byte_of_what_a_witness_cosigned_can_be_changed_and_still_be_believed(folder: Path, bit: int) -> None:
    path = cosigned_file(folder / "log/1", WITNESS.key)
    note = cosign(folder, 300)
    reader = LogReader(folder, 1)
    for at in range(len(note)):
        path.write_bytes(note[:at] + bytes([note[at] ^ bit]) + note[at + 1 :])
        assert Witnessed([WITNESS.key], NOW).whole([reader]).reports == [], at
    for end in range(len(note)):
        path.write_bytes(note[:end])
        assert Witnessed([WITNESS.key], NOW).whole([reader]).reports == [], end
    path.write_bytes(note)
    assert [each.size for each in Witnessed([WITNESS.key], NOW).whole([reader]).reports] == [300]
