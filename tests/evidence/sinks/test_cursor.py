"""A cursor and a list of refused events survive whatever stops the gateway."""

from pathlib import Path

from gateway.evidence.sinks.cursor import FOLDER, Cabinet, Cursor, Parked, cabinets, furthest_behind
from gateway.evidence.sinks.outgoing import Position
from gateway.evidence.sinks.sessions import Seen


def parked(number: int) -> Parked:
    return Parked(id=f"log#{number}", type="statement.decided", t="1", reason="http.400", at="2")


def test_a_cursor_is_read_back_with_its_sessions(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path, "siem")
    assert cabinet.load() is None
    cursor = Cursor(epoch=2, index=40, sessions={"s": Seen(ip="10.0.0.1", groups=("a",))})
    cabinet.save(cursor)
    assert Cabinet(tmp_path, "siem").load() == cursor
    assert cursor.position == Position(2, 40)


def test_a_damaged_cursor_is_none_so_that_everything_is_sent_again(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path, "siem")
    cabinet.save(Cursor(epoch=1, index=1))
    path = tmp_path / FOLDER / "siem/cursor.json"
    for data in (b"", b"{", b'{"epoch":"1"}', b"\xff"):
        path.write_bytes(data)
        assert cabinet.load() is None


def test_only_we_can_read_what_a_sink_keeps(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path, "siem")
    cabinet.save(Cursor(epoch=1, index=1))
    cabinet.park([parked(1)])
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / FOLDER / "siem").iterdir()}
    assert modes == {"cursor.json": 0o600, "parked.jsonl": 0o600}


def test_an_event_is_parked_once_and_a_torn_line_is_left_out(tmp_path: Path) -> None:
    cabinet = Cabinet(tmp_path, "siem")
    cabinet.park([parked(1), parked(2)])
    path = tmp_path / FOLDER / "siem/parked.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    again = Cabinet(tmp_path, "siem")
    assert again.parked == 1
    again.park([parked(1), parked(2), parked(3)])
    assert [each.id for each in again.list_parked()] == ["log#1", "log#2", "log#3"]
    assert again.parked == 3


def test_what_must_not_be_deleted_is_what_the_slowest_sink_has_not_sent(tmp_path: Path) -> None:
    Cabinet(tmp_path, "a").save(Cursor(epoch=2, index=7))
    Cabinet(tmp_path, "b").save(Cursor(epoch=1, index=90))
    assert furthest_behind(tmp_path, ["a", "b"]) == Position(1, 90)
    assert furthest_behind(tmp_path, ["a"]) == Position(2, 7)
    assert furthest_behind(tmp_path, ["a", "new"]) == Position(0, 0)
    assert furthest_behind(tmp_path, []) is None
    assert sorted(cabinets(tmp_path)) == ["a", "b"]
