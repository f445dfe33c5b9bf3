"""Retention is told from when on leaves must stay for sinks."""

from pathlib import Path

from gateway.evidence.leaf import decode_leaf
from gateway.evidence.sinks.cursor import Cabinet, Cursor
from gateway.evidence.sinks.held import unsent_since
from gateway.evidence.view import open_views
from tests.evidence.world import whole_log


def test_it_is_the_time_of_the_first_leaf_that_some_sink_has_not_sent(tmp_path: Path) -> None:
    whole_log(tmp_path, sessions=3)
    view = next(iter(open_views(tmp_path)))
    assert unsent_since(tmp_path, []) is None
    assert unsent_since(tmp_path, ["new"]) == int(decode_leaf(view.leaf(0)).t)
    Cabinet(tmp_path, "a").save(Cursor(epoch=1, index=7))
    Cabinet(tmp_path, "b").save(Cursor(epoch=1, index=view.signed))
    assert unsent_since(tmp_path, ["a", "b"]) == int(decode_leaf(view.leaf(7)).t)
    assert unsent_since(tmp_path, ["b"]) is None
