"""Keys and places of the index are unambiguous; a lock or a full disk is not taken for damage."""

import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from gateway.evidence.index import FILE, Index, create, key_of, place_of, split_place, trouble_of


def test_a_place_is_a_log_and_a_leaf() -> None:
    assert split_place(place_of(3, 1_000_000)) == (3, 1_000_000)
    assert place_of(2, 0) > place_of(1, (1 << 40) - 1)


def test_ids_that_are_written_otherwise_have_other_keys() -> None:
    did = "01a21220-14aa-7d31-ab4b-d65726337ff3"
    assert key_of(did) == uuid.UUID(did).bytes
    assert len({key_of(did), key_of(did.upper()), key_of(f"{{{did}}}"), key_of("d1"), key_of("\udc80")}) == 5


def test_a_lock_is_not_taken_for_damage(tmp_path: Path) -> None:
    create(tmp_path / FILE)
    index = Index(tmp_path / FILE)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        index.database.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.DatabaseError) as locked, index.writing():
            pass
        with pytest.raises(OSError, match="locked"):
            trouble_of(locked.value)
    index.close()
    assert "damaged" in trouble_of(sqlite3.DatabaseError("malformed"))


def test_all_of_it_is_written_or_nothing(tmp_path: Path) -> None:
    create(tmp_path / FILE)
    index = Index(tmp_path / FILE)

    def fail() -> None:
        with index.writing():
            index.database.execute("INSERT INTO session (sid) VALUES ('s')")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert index.one("SELECT count(*) FROM session") == 0
    assert index.one("SELECT sid FROM session") is None
    index.close()
