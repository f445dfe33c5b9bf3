"""Bodies read again: here, or by other processes, with the same result."""

import hashlib
import os
from pathlib import Path

import pytest

from gateway.evidence.bodies import BATCH, BodyCheck, State


def store(folder: Path, count: int) -> list[tuple[str, int]]:
    named = []
    for number in range(count):
        body = b"body %d" % number
        digest = hashlib.sha256(body).hexdigest()
        (folder / digest[:2]).mkdir(exist_ok=True)
        (folder / digest[:2] / digest).write_bytes(body)
        named.append((digest, number))
    return named


@pytest.mark.parametrize("workers", [0, 1])
def test_what_is_missing_or_changed_is_named_in_order(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.evidence.bodies.FEW", 0)
    named = store(tmp_path, 2 * BATCH + 9)
    for number, change in (
        (3, Path.unlink),
        (BATCH + 1, lambda path: path.write_bytes(b"x")),
        (2 * BATCH, Path.unlink),
    ):
        digest = named[number][0]
        change(tmp_path / digest[:2] / digest)
    with BodyCheck(tmp_path, workers) as check:
        for start in range(0, len(named), 100):
            check.ask(named[start : start + 100])
        found = check.bad()
        assert found == [
            (named[3], State.MISSING),
            (named[BATCH + 1], State.CHANGED),
            (named[2 * BATCH], State.MISSING),
        ]
        assert check.bad() == []


def test_a_body_that_cannot_be_read_counts_as_changed_and_what_is_no_file_as_missing(tmp_path: Path) -> None:
    loop, folder, pipe = "ab" * 32, "ac" * 32, "ad" * 32
    for digest in (loop, folder, pipe):
        (tmp_path / digest[:2]).mkdir()
    (tmp_path / "ab" / loop).symlink_to(loop)
    (tmp_path / "ac" / folder).mkdir()
    os.mkfifo(tmp_path / "ad" / pipe)
    with BodyCheck(tmp_path) as check:
        check.ask([(loop, 0), (folder, 1), (pipe, 2)])
        assert check.bad() == [((loop, 0), State.CHANGED), ((folder, 1), State.MISSING), ((pipe, 2), State.MISSING)]
