"""Names a session has given, and what they mean while answers are on the way."""

import pytest

from gateway.session.registry import Change, MustWaitError, Portal, Prepared, Registry, Space

S, P = Space.STATEMENT, Space.PORTAL


def prepared() -> Prepared:
    return Prepared(None)


def test_a_change_holds_at_once_in_its_own_segment() -> None:
    registry, one = Registry(), prepared()
    registry.note(Change(S, "a", one), 3)
    assert registry.statement("a", 3) is one


def test_a_later_segment_has_to_wait_for_an_unconfirmed_name() -> None:
    registry = Registry()
    registry.note(Change(S, "a", prepared()), 3)
    with pytest.raises(MustWaitError):
        registry.find(S, "a", 4)
    with pytest.raises(MustWaitError):
        registry.visible(S, 4)


def test_a_failed_change_leaves_the_name_as_it_was() -> None:
    registry, old, new = Registry(), prepared(), prepared()
    registry.settle(registry.note(Change(S, "a", old), 1), done=True)
    close = registry.note(Change(S, "a", None), 2)
    parse = registry.note(Change(S, "a", new), 2)
    assert registry.statement("a", 2) is new
    registry.settle(close, done=False)
    registry.settle(parse, done=False)
    assert registry.statement("a", 3) is old


def test_deallocate_all_removes_every_statement_and_no_portal() -> None:
    registry = Registry()
    for change in (Change(S, "a", prepared()), Change(S, "b", prepared()), Change(P, "p", Portal(prepared()))):
        registry.settle(registry.note(change, 1), done=True)
    registry.settle(registry.note(Change(S, None, None), 2), done=True)
    assert registry.statement("a", 3) is None
    assert registry.statement("b", 3) is None
    assert registry.portal("p", 3) is not None


def test_an_unconfirmed_deallocate_all_makes_every_name_wait() -> None:
    registry = Registry()
    registry.settle(registry.note(Change(S, "a", prepared()), 1), done=True)
    registry.note(Change(S, None, None), 2)
    assert registry.statement("a", 2) is None
    with pytest.raises(MustWaitError):
        registry.find(S, "a", 3)


def test_portals_end_with_their_transaction_and_sql_cursors_are_left_to_the_server() -> None:
    registry = Registry()
    registry.settle(registry.note(Change(P, "p", Portal(prepared())), 1), done=True)
    registry.settle(registry.note(Change(P, "c", Portal(prepared(), sql_cursor=True)), 1), done=True)
    registry.end_transaction()
    assert registry.portal("p", 2) is None
    assert registry.portal("c", 2) is not None


def test_a_forgotten_name_is_gone_whatever_is_still_pending() -> None:
    registry = Registry()
    change = registry.note(Change(S, "", prepared()), 1)
    registry.forget(S, "")
    registry.settle(change, done=True)
    assert registry.statement("", 1) is None


def test_statements_and_portals_are_two_namespaces() -> None:
    registry = Registry()
    registry.settle(registry.note(Change(S, "x", prepared()), 1), done=True)
    assert registry.portal("x", 1) is None


def test_no_repr_shows_a_text() -> None:
    secret = b"SELECT '4111111111111111'"
    assert "4111" not in repr(Prepared(None, secret))
    assert "4111" not in repr(Portal(Prepared(None, secret), b"4111111111111111"))


def test_the_latest_change_counts_whether_it_is_of_one_name_or_of_all() -> None:
    registry, one, two = Registry(), prepared(), prepared()
    registry.note(Change(S, "a", one), 1)
    registry.note(Change(S, None, None), 1)
    assert registry.statement("a", 1) is None
    registry.note(Change(S, "a", two), 1)
    assert registry.statement("a", 1) is two
    assert registry.visible(S, 1) == {"a": two}


def test_a_long_segment_of_one_name_is_looked_up_at_once() -> None:
    registry = Registry()
    changes = [registry.note(Change(P, "", Portal(prepared())), 1) for _ in range(50_000)]
    for change in changes:
        assert registry.portal("", 1) is changes[-1].value
        registry.settle(change, done=True)
    assert registry.confirmed[P][""] is changes[-1].value
