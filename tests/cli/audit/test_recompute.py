"""A past decision computed again, by the archived bundle and by nothing else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli.audit.recompute import Archived, Result, archive_of, opened, recompute
from gateway.core.errors import Unavailable
from gateway.policy.archive import read_archive
from gateway.policy.manifest import Rule
from gateway.policy.store import BundleStore
from tests.cli.audit.world import ARCHIVE, document_of

IN, OUT, OTHER = b'{"a":1}', b'{"outcome":"mask"}', b'{"outcome":"deny"}'


class Fake:
    revision, policy_digest = "r", "d"
    rules: Mapping[str, Rule] = {}

    def __init__(self, gives: bytes | None) -> None:
        self.gives = gives

    def answer(self, document: bytes) -> bytes:
        assert document == IN
        if self.gives is None:
            raise Unavailable("policy.unavailable")
        return self.gives

    def line(self, file: str, number: int) -> str:
        return f"{file}:{number}"


@pytest.mark.parametrize(
    ("bundle", "document", "answer", "asked", "carried", "result"),
    [
        (Fake(OUT), IN, OUT, True, "mask", Result.EQUAL),
        (Fake(OUT), IN, OUT, True, "deny", Result.EQUAL),
        (Fake(OUT), IN, OUT, True, "allow", Result.DIFFERENT),
        (Fake(OTHER), IN, OUT, True, "mask", Result.DIFFERENT),
        (Fake(None), IN, OUT, True, "mask", Result.DIFFERENT),
        (Fake(OUT), b'{"a": 1}', OUT, True, "mask", Result.DIFFERENT),
        (Fake(OUT), b"{", OUT, True, "mask", Result.DIFFERENT),
        (None, IN, OUT, True, "mask", Result.IMPOSSIBLE),
        (Fake(OUT), None, OUT, True, "mask", Result.IMPOSSIBLE),
        (Fake(OUT), IN, None, True, "deny", Result.NO_ANSWER),
        (Fake(OUT), IN, None, True, "allow", Result.DIFFERENT),
        (None, None, None, False, "deny", Result.NOT_ASKED),
        (None, None, None, False, "allow", Result.DIFFERENT),
    ],
)
def test_a_recomputation_ends_in_one_word(  # noqa: PLR0913, PLR0917 -- a table
    bundle: Fake | None,
    document: bytes | None,
    answer: bytes | None,
    asked: bool,  # noqa: FBT001 -- a table
    carried: str,
    result: Result,
) -> None:
    found = recompute(bundle, document, answer, asked=asked, carried=carried)
    assert found.result is result
    assert found.why


@pytest.mark.parametrize(
    ("answered", "carried", "more"),
    [("deny", "allow", True), ("mask", "allow", True), ("require_approval", "mask", True), ("allow", "deny", False),
     ("mask", "mask", False), ("", "allow", False), ("deny", "", False)],
)  # fmt: skip
def test_more_than_was_answered_is_never_let_through(answered: str, carried: str, more: bool) -> None:  # noqa: FBT001 -- a table
    assert opened(answered, carried) is more


def test_a_line_of_an_archived_bundle_can_be_cited() -> None:
    files, name = read_archive(ARCHIVE.read_bytes()), "gateway/main/main.rego"
    lines = files[name].decode().splitlines()
    assert [Archived(files).line(name, number) for number in (0, 1, len(lines) + 1)] == ["", lines[0].strip(), ""]
    assert Archived(files).line("b.rego", 1) == ""


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
