"""A decision's proof can be read by others: verified by the code of torchwood, refused when changed."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.evidence.explain import tell
from gateway.evidence.keys import public_key
from gateway.evidence.proof import write_proof
from tests.evidence.world import whole_log

SOURCE = Path(__file__).parent / "go"
Verify = Callable[[Path], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("log")
    return folder, whole_log(folder, sessions=60, statements=5)


@pytest.fixture(scope="module")
def verify(log: tuple[Path, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Verify:
    program = tmp_path_factory.mktemp("go") / "proof"
    subprocess.run(["go", "build", "-o", str(program), "./proof"], cwd=SOURCE, check=True)
    key = public_key(log[0] / "keys", 1).read_text(encoding="utf-8").strip()
    return lambda path: subprocess.run([program, path, key], capture_output=True, text=True, check=False)


def test_the_proof_of_every_tenth_decision_holds(log: tuple[Path, list[str]], verify: Verify, tmp_path: Path) -> None:
    folder, ids = log
    path = tmp_path / "decision.tlog-proof"
    for did in ids[::10]:
        story = tell(folder, did)
        assert story is not None
        path.write_bytes(write_proof(story))
        done = verify(path)
        assert (done.returncode, done.stdout.strip().encode(), done.stderr) == (0, story.raw, "")


@pytest.mark.parametrize("line", ["extra", "index", "path", "root"])
def test_a_changed_line_is_refused(log: tuple[Path, list[str]], verify: Verify, tmp_path: Path, line: str) -> None:
    story = tell(log[0], log[1][7])
    assert story is not None
    lines = write_proof(story).split(b"\n")
    at = {"extra": 1, "index": 2, "path": 3, "root": lines.index(b"") + 3}[line]
    lines[at] = lines[at][:-3] + (b"0" if lines[at][-3:-2] != b"0" else b"1") + lines[at][-2:]
    path = tmp_path / "changed"
    path.write_bytes(b"\n".join(lines))
    assert verify(path).returncode == 1
