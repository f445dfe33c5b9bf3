"""Bodies beside the log: by their hash, once, and never another in their place."""

import hashlib
from pathlib import Path

import pytest

from gateway.evidence.objects import Objects

BODY = b"a body"
DIGEST = hashlib.sha256(BODY).hexdigest()


def test_a_body_comes_back_by_its_hash(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    objects.put(DIGEST, BODY)
    assert objects.read(DIGEST) == BODY
    assert objects.path(DIGEST) == tmp_path / DIGEST[:2] / DIGEST


def test_a_body_that_is_there_is_not_written_again(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    objects.put(DIGEST, BODY)
    before = objects.path(DIGEST).stat()
    objects.put(DIGEST, BODY)
    assert objects.path(DIGEST).stat() == before


def test_a_body_that_a_crash_left_empty_is_written_again_when_it_is_looked_at(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    objects.put(DIGEST, BODY)
    objects.path(DIGEST).write_bytes(b"")
    objects.put(DIGEST, BODY, check=True)
    assert objects.read(DIGEST) == BODY


def test_a_missing_body_is_none_and_a_changed_one_an_error(tmp_path: Path) -> None:
    objects = Objects(tmp_path)
    assert objects.read(DIGEST) is None
    objects.put(DIGEST, BODY)
    objects.path(DIGEST).write_bytes(BODY + b".")
    with pytest.raises(ValueError, match="was changed"):
        objects.read(DIGEST)
