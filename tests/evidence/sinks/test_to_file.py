"""A file of whole lines, ours alone, that is never shortened by more than a line a crash tore."""

from pathlib import Path

import msgspec

from gateway.evidence.sinks.answers import Later, Taken
from gateway.evidence.sinks.to_file import FileReceiver
from tests.evidence.sinks.leaves import decided, events, every_leaf

BIG = 1 << 30


def folder_of(path: Path) -> list[Path]:
    return list(path.parent.iterdir())


async def test_each_event_is_a_line_and_only_we_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "new/events.jsonl"
    receiver = FileReceiver(path, BIG)
    sent = events("ocsf", every_leaf())
    assert await receiver.send(sent[:5]) == Taken()
    assert await receiver.send(sent[5:]) == Taken()
    assert path.read_bytes().splitlines() == [event.payload for event in sent]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_torn_line_is_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    receiver = FileReceiver(path, BIG)
    sent = events("raw", every_leaf())
    await receiver.send(sent[:3])
    with path.open("ab") as file:
        file.write(sent[3].payload[:40])
    await receiver.send(sent[3:])
    assert path.read_bytes().splitlines() == [event.payload for event in sent]


async def test_a_full_file_is_kept_under_another_name_and_a_new_one_begun(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    sent = events("raw", [decided()] * 12)
    receiver = FileReceiver(path, len(sent[0].payload) * 3)
    for first in range(0, 12, 2):
        await receiver.send(sent[first : first + 2])
    await receiver.send(sent[:2])  # sent again: a name that is taken is not taken again
    files = list(folder_of(path))
    names = sorted(each.name for each in files)
    assert names[:2] == ["events-1-000000000040.jsonl", "events-1-000000000042.jsonl"]
    assert len(names) == 7
    lines = [line for each in files for line in each.read_bytes().splitlines()]
    found = sorted(msgspec.json.decode(line, type=dict[str, object])["index"] for line in lines)  # type: ignore[type-var]  # numbers
    assert found == sorted([*range(40, 52), 40, 41])
    assert {each.stat().st_mode & 0o777 for each in files} == {0o600}


async def test_a_file_that_was_moved_away_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    receiver = FileReceiver(path, BIG)
    sent = events("raw", [decided()] * 2)
    await receiver.send(sent[:1])
    path.rename(tmp_path / "moved")
    await receiver.send(sent[1:])
    assert path.read_bytes() == sent[1].payload + b"\n"


async def test_what_cannot_be_written_is_for_later(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    receiver = FileReceiver(tmp_path / "file/events.jsonl", BIG)
    assert isinstance(await receiver.send(events("raw", [decided()])), Later)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    assert isinstance(await FileReceiver(tmp_path / "link", BIG).send(events("raw", [decided()])), Later)
    assert not (tmp_path / "elsewhere").exists()


async def test_a_probe_says_whether_it_could_be_written(tmp_path: Path) -> None:
    assert await FileReceiver(tmp_path / "a/b/c.jsonl", BIG).probe() == Taken()
    await FileReceiver(tmp_path / "x", BIG).close()
    assert not (tmp_path / "a").exists()
