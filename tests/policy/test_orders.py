"""An order is carried out as it was given, or not at all; what else lies in the folder is none."""

import os
from pathlib import Path

import msgspec
import pytest

from gateway.policy.orders import FOLDER, Activate, Answer, Halt, Order, Tray

ID = "01a2113f-ef77-7fef-bf71-010a699f64e4"
ORDER = Order(id=ID, by="maria", reason="r", at="2026-11-25T00:00:00Z", command=Halt(kind="everything"))


def test_an_order_is_found_once_with_what_lies_beside_it(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    assert list(tray.pending()) == []
    order = Order(id=ID, by="maria", reason="r", at="t", command=Activate())
    tray.place(order, b"bundle")
    assert list(tray.pending()) == [(ID, order)]
    assert tray.bundle(ID) == b"bundle"
    tray.settle(ID, Answer(ok=True, text="done"))
    assert list(tray.pending()) == []
    assert tray.answer(ID) == Answer(ok=True, text="done")
    assert tray.answer(ID) is None
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_card_number_in_what_a_person_typed_is_not_laid_down(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.place(msgspec.structs.replace(ORDER, reason="stop 4111 1111 1111 1111", by="NDExMTExMTExMTExMTExMQ=="))
    ((_, found),) = tray.pending()
    assert found == msgspec.structs.replace(ORDER, reason="stop **** **** **** ****", by="*" * 22 + "==")


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b'{"id":"x"}', b"x" * 70_000])
def test_what_is_no_order_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    tray = Tray(tmp_path)
    tray.place(ORDER)
    (tmp_path / FOLDER / f"{ID}.order.json").write_bytes(content)
    assert list(tray.pending()) == [(ID, None)]


def test_an_order_under_another_name_a_link_and_a_pipe_are_none(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.place(ORDER)
    folder = tmp_path / FOLDER
    (folder / f"{ID}.order.json").rename(folder / "other.order.json")
    (folder / "link.order.json").symlink_to("other.order.json")
    os.mkfifo(folder / "pipe.order.json")
    assert {order for _, order in tray.pending()} == {None}


def test_others_cannot_look_in(tmp_path: Path) -> None:
    Tray(tmp_path).place(ORDER)
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / FOLDER).iterdir()} == {0o600}


def test_it_is_known_whether_a_gateway_looks(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    assert not tray.attended()
    attending = tray.attend()
    assert tray.attended()
    os.close(attending)
    assert not tray.attended()


def test_answers_nobody_fetched_are_swept_away(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.place(ORDER)
    tray.settle(ID, Answer(ok=True, text=""))
    tray.sweep()
    assert tray.answer(ID) is None


def test_an_order_that_nobody_has_taken_can_be_taken_back_and_one_that_was_carried_out_says_so(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.place(ORDER)
    assert tray.withdraw(ID) is None
    assert list(tray.pending()) == []
    tray.settle(ID, Answer(ok=True, text="done"))
    assert tray.withdraw(ID) == Answer(ok=True, text="done")


def test_an_order_that_is_still_being_written_is_left_alone(tmp_path: Path) -> None:
    tray = Tray(tmp_path)
    tray.place(ORDER)
    path = tmp_path / FOLDER / f"{ID}.order.json"
    path.rename(path.with_name(f".{path.name}"))
    assert list(tray.pending()) == []
