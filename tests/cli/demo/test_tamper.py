"""One byte is really changed, only in a copy, and the scene holds only when exactly that is caught and named."""

from pathlib import Path

import pytest

from gateway.cli.demo import tamper
from gateway.cli.demo.stage import Stage

DID = b"01a21076-2e67-79c8-a8c3-6dd71572f38a"
LEAVES = b'{"did":"other","t":"10"}{"act":"drop","did":"' + DID + b'","t":"17"}{"did":"later","t":"19"}'
CAUGHT = "GRAVE  wal.mismatch   leaf 1: the write-ahead log has another leaf here\n\nNOT verified: 1 grave finding\n"


class FakeStage(Stage, frozen=True, kw_only=True):
    """Verifies by comparing with what was written at first."""

    says: str = CAUGHT
    always: int | None = None

    def command(self, *arguments: str) -> tuple[int, str]:
        copy = self.folder / arguments[arguments.index("--data") + 1]
        assert (self.folder / arguments[arguments.index("--key") + 1]).exists()
        same = (copy / "log/1/tile/entries/000.p/3").read_bytes() == LEAVES
        return (int(not same) if self.always is None else self.always), "verified: …" if same else self.says


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder like a gateway's."""
    for name, content in {
        "keys/log-1.pub": b"p",
        "keys/log-1.key": b"secret",
        "log/1/wal/0.wal": LEAVES,
        "log/1/checkpoint": b"c",
        "log/1/tile/entries/000.p/2": LEAVES[:-25],
        "log/1/tile/entries/000.p/3": LEAVES,
        "objects/ab/abcd": b"o",
    }.items():
        path = tmp_path / "var" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path


def test_it_is_caught_and_the_log_itself_is_untouched(folder: Path) -> None:
    before = {path: path.read_bytes() for path in (folder / "var").rglob("*") if path.is_file()}
    assert tamper.caught(FakeStage(folder=folder, port=1, agents=()), DID.decode()).holds
    assert {path: path.read_bytes() for path in (folder / "var").rglob("*") if path.is_file()} == before
    changed = (folder / tamper.COPY / "log/1/tile/entries/000.p/3").read_bytes()
    assert changed == LEAVES.replace(b'"t":"17"', b'"t":"11"')


def test_no_private_key_is_copied(folder: Path) -> None:
    tamper.copied(folder / "var", folder / "copy")
    names = {str(path.relative_to(folder / "copy")) for path in (folder / "copy").rglob("*") if path.is_file()}
    assert "keys/log-1.pub" in names
    assert len(names) == 6
    assert not any(name.endswith(".key") for name in names)


@pytest.mark.parametrize(
    ("says", "always", "did"),
    [
        (CAUGHT, 0, DID),
        (CAUGHT, 1, DID),
        (CAUGHT, None, DID[::-1]),
        ("a traceback", None, DID),
        (CAUGHT.replace("leaf 1", "checkpoint"), None, DID),
    ],
)
def test_anything_else_is_no_proof(folder: Path, says: str, always: int | None, did: bytes) -> None:
    stage = FakeStage(folder=folder, port=1, agents=(), says=says, always=always)
    assert not tamper.caught(stage, did.decode()).holds


def test_a_digit_always_becomes_another_one(folder: Path) -> None:
    path = folder / "var/log/1/tile/entries/000.p/3"
    path.write_bytes(LEAVES.replace(b'"t":"17"', b'"t":"11"'))
    assert "changed" in tamper.change(folder / "var", DID.decode())
    assert path.read_bytes() == LEAVES.replace(b'"t":"17"', b'"t":"12"')


def test_files_that_come_and_go_meanwhile_are_no_trouble(folder: Path) -> None:
    (folder / "var/objects/ab/.abcd.tmp").write_bytes(b"half")
    (folder / "var/objects/ab/gone").symlink_to(folder / "nowhere")  # listed, and not there when it is opened
    tamper.copied(folder / "var", folder / "copy")
    assert [path.name for path in (folder / "copy/objects/ab").iterdir()] == ["abcd"]
