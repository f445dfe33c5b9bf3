"""The agent's application_name through transactions: what is undone, what stays, and what the client is told."""

import pytest

from gateway.session.naming import Application
from gateway.sql.application import Move, Passed, Point, Set

COMMIT, ROLLBACK = Passed(Point.COMMIT), Passed(Point.ROLLBACK)


def save(name: str) -> Passed:
    return Passed(Point.SAVE, name)


def back(name: str) -> Passed:
    return Passed(Point.BACK, name)


def after(*moves: Move | str, idle: bool = True) -> str | None:
    """What the client is told after these; a text is an error."""
    application = Application("psql")
    for move in moves:
        if isinstance(move, str):
            application.fail()
        else:
            application.follow(move)
    return application.rest(idle=idle)


@pytest.mark.parametrize(
    ("moves", "told"),
    [
        ([Set("a")], "a"),
        ([Set("a"), Set("b")], "b"),
        ([Set("a"), Set(None)], None),
        ([Set("psql")], None),
        ([Set("a", local=True)], None),
        ([Set("a"), COMMIT], "a"),
        ([Set("a"), ROLLBACK], None),
        ([Set("a"), "error"], None),
        ([Set("a"), Set("b", local=True), COMMIT], "a"),
        ([Set("b", local=True), Set("a"), COMMIT], "a"),
        ([Set("a"), COMMIT, Set("b"), "error"], "a"),
        ([save("s"), Set("a"), back("s"), COMMIT], None),
        ([Set("a"), save("s"), Set("b"), back("s"), COMMIT], "a"),
        ([save("s"), Set("a"), Passed(Point.RELEASE, "s"), COMMIT], "a"),
        ([save("s"), Set("a"), save("s"), Set("b"), back("s"), back("s"), COMMIT], "a"),
        ([save("s"), Set("a"), save("t"), Set("b"), back("s"), COMMIT], None),
        ([save("s"), Set("a"), save("t"), Passed(Point.RELEASE, "s"), COMMIT], "a"),
        ([Set("a"), save("s"), Set("b"), "error", back("s"), COMMIT], "a"),
        ([Set("a"), save("s"), Set("b"), "error", ROLLBACK], None),
        ([Set("a"), save("s"), "error"], None),
        ([Set("a", local=True), save("s"), Passed(Point.RELEASE, "s"), COMMIT], None),
    ],
)
def test_settings_are_undone_as_the_server_undoes_them(moves: list[Move | str], told: str | None) -> None:
    assert after(*moves) == told


def test_a_local_name_is_told_while_it_lasts() -> None:
    application = Application("psql")
    application.follow(Set("a", local=True))
    assert application.rest(idle=False) == "a"
    assert application.rest(idle=False) is None
    application.follow(COMMIT)
    assert application.rest(idle=True) == "psql"


def test_an_error_behind_a_savepoint_leaves_what_was_set_before_it() -> None:
    assert after(Set("a"), save("s"), Set("b"), "error", idle=False) == "a"
