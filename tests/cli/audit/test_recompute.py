"""A past decision computed again, by the archived bundle and by nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli.audit.recompute import Archived, Result, archive_of, recompute
from gateway.core.errors import Unavailable
from gateway.policy.archive import read_archive
from gateway.policy.manifest import Rule
from gateway.policy.store import BundleStore
from tests.cli.audit.world import ARCHIVE, document_of


class Fake:
    revision, policy_digest = "r", "d"
    rules: Mapping[str, Rule] = {}

    def __init__(self, gives: bytes | None) -> None:
        self.gives = gives

    def answer(self, document: bytes) -> bytes:
        assert document == b"in"
        if self.gives is None:
            raise Unavailable("policy.unavailable")
        return self.gives


@pytest.mark.parametrize(
    ("bundle", "document", "answer", "asked", "result"),
    [
        (Fake(b"out"), b"in", b"out", True, Result.EQUAL),
        (Fake(b"other"), b"in", b"out", True, Result.DIFFERENT),
        (Fake(None), b"in", b"out", True, Result.DIFFERENT),
        (None, b"in", b"out", True, Result.IMPOSSIBLE),
        (Fake(b"out"), None, b"out", True, Result.IMPOSSIBLE),
        (Fake(b"out"), b"in", None, True, Result.NO_ANSWER),
        (None, None, None, False, Result.NOT_ASKED),
    ],
)
def test_a_recomputation_ends_in_one_word(
    bundle: Fake | None, document: bytes | None, answer: bytes | None, asked: bool, result: Result  # noqa: FBT001 -- a table
) -> None:  # fmt: skip
    found = recompute(bundle, document, answer, asked=asked)
    assert found.result is result
    assert found.why


def test_an_archived_bundle_answers_the_same_again_and_again() -> None:
    raw = ARCHIVE.read_bytes()
    document = document_of(raw)
    answers = {Archived(read_archive(raw)).answer(document) for _ in range(2)}
    assert len(answers) == 1
    assert b'"outcome":"' in answers.pop()


def test_the_archive_gives_what_was_kept_and_nothing_else(tmp_path: Path) -> None:
    digest = BundleStore(tmp_path).keep(ARCHIVE.read_bytes())
    kept = archive_of(tmp_path)(digest)
    assert kept is not None
    assert kept.revision
    assert kept.rules
    assert len(kept.policy_digest) == 64
    assert archive_of(tmp_path)("0" * 64) is None


def test_a_kept_bundle_that_was_changed_is_not_asked(tmp_path: Path) -> None:
    digest = BundleStore(tmp_path).keep(ARCHIVE.read_bytes())
    path = tmp_path / "bundles" / f"{digest}.tar.gz"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match="not that bundle"):
        archive_of(tmp_path)(digest)
