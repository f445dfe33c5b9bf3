"""The log of policy is told latest first, a line each, and nothing in it can move a terminal's cursor."""

from gateway.cli.policy.history import Entry, in_words


def test_a_line_says_what_when_who_and_why() -> None:
    entry = Entry(
        time="2026-11-25 01:00:00.000000Z", type="bundle.rolled_back", sha256="a" * 64, revision="2026-11", sequence=3,
        who="maria", why="policy rollback", reason="denies too much",
    )  # fmt: skip
    said = in_words(entry)
    assert said.startswith("2026-11-25 01:00:00.000000Z  bundle.rolled_back  aaaaaaaaaaaa  2026-11  release 3")
    assert said.endswith("· policy rollback  · by maria  · “denies too much”")


def test_a_stop_says_whom_it_stops() -> None:
    said = in_words(Entry(time="t", type="policy.stopped", kind="subject", name="agent-7", stop="s1", who="maria"))
    assert "subject agent-7  s1" in said


def test_what_came_from_outside_stays_on_its_line() -> None:
    assert "\x1b" not in in_words(Entry(time="t", type="policy.stopped", reason="\x1b[2J\nnext"))
    assert "\n" not in in_words(Entry(time="t", type="policy.stopped", reason="\x1b[2J\nnext"))
