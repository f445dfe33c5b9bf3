"""A session of which only the log tells: every statement's shape and how it ended, in order."""

from pathlib import Path

import msgspec

from gateway.cli.audit.replaying.from_log import in_words, statements
from tests.evidence.world import whole_log
from tests.support.recorded import leaves


def first_session(folder: Path) -> str:
    whole_log(folder)
    return str(leaves(folder, "session.opened")[0]["sid"])


def test_statements_come_in_their_order_with_how_they_ended(tmp_path: Path) -> None:
    sid = first_session(tmp_path)
    hits = statements(tmp_path, sid)
    assert [hit.sid for hit in hits] == [sid] * len(hits)
    assert [hit.time_ns for hit in hits] == sorted(hit.time_ns for hit in hits)
    text = "".join(in_words(hits))
    assert all(hit.did in text for hit in hits)
    assert f"#{len(hits)} " in text
    assert "→ done" in text


def test_what_was_never_seen_has_none_and_hostile_names_are_escaped(tmp_path: Path) -> None:
    sid = first_session(tmp_path)
    assert statements(tmp_path, "none") == []
    hit = msgspec.structs.replace(statements(tmp_path, sid)[0], statement="\x1b[2J", codes=("x",), ended="")
    assert "\\x1b[2J" in "".join(in_words([hit]))
