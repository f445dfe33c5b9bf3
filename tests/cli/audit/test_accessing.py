"""Whoever reads evidence leaves a leaf: by the gateway, or by the command when none runs; or they see nothing."""

import asyncio
import fcntl
import os
import shutil
import threading
from pathlib import Path

import pytest

from gateway.cli.audit import accessing
from gateway.cli.audit.accessing import note_access
from gateway.cli.person import whoami
from gateway.core.errors import Unavailable
from gateway.evidence.leaf import Leaf, decode_leaf
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from gateway.policy.orders import Accessed, Answer, Tray
from tests.cli.audit.world import Written
from tests.evidence.world import TickClock

CARD = "4111 1111 1111 1111"


def accesses(folder: Path) -> list[Leaf]:
    view = next(open_views(folder))
    leaves = (decode_leaf(raw) for _, raw in view.upwards(0))
    return [leaf for leaf in leaves if leaf.type == "evidence.accessed"]


def test_without_a_gateway_the_command_records_it_itself_and_the_log_still_verifies(damaged: Written) -> None:
    assert note_access(damaged.folder, "search", {"text": "FROM t", "limit": 50, "label": ""}, results=2, person="eve")
    (leaf,) = accesses(damaged.folder)
    assert leaf.who is not None
    assert (leaf.act, leaf.who.id, leaf.who.on_behalf_of) == ("search", whoami(), "eve")
    facts = leaf.facts()
    assert (facts["arguments"], facts["results"]) == ({"limit": "50", "text": "FROM t"}, 2)
    assert verify(damaged.folder, TickClock()).ok


def test_no_card_number_and_no_endless_text_is_recorded(damaged: Written) -> None:
    note_access(damaged.folder, "search", {"text": f"pan = '{CARD}'", "relation": "x" * 5000}, person=CARD)
    (leaf,) = accesses(damaged.folder)
    arguments = leaf.facts()["arguments"]
    assert isinstance(arguments, dict)
    assert arguments["text"] == "pan = '**** **** **** ****'"
    assert len(arguments["relation"]) == accessing.MAX_TEXT + 1
    assert leaf.who is not None
    assert leaf.who.on_behalf_of == "**** **** **** ****"
    assert leaf.scrubbed == ()


def test_two_commands_at_once_are_both_recorded(damaged: Written) -> None:
    threads = [threading.Thread(target=note_access, args=(damaged.folder, f"search {n}", {})) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(leaf.act for leaf in accesses(damaged.folder)) == [f"search {n}" for n in range(4)]


@pytest.mark.parametrize(
    "answer", [Answer(ok=True, text="recorded"), Answer(ok=False, code="evidence.unavailable", text="ENOSPC")]
)
def test_a_gateway_that_runs_records_it(damaged: Written, answer: Answer) -> None:
    tray, taken, over = Tray(damaged.folder), list[object](), threading.Event()

    def attend() -> None:
        while not over.wait(0.01):
            for order_id, order in list(tray.pending()):
                taken.append(order and order.command)
                tray.settle(order_id, answer)

    attending, gateway = tray.attend(), threading.Thread(target=attend)
    gateway.start()
    try:
        if answer.ok:
            assert note_access(damaged.folder, "search", {"label": "pan"}, results=3)
        else:
            with pytest.raises(Unavailable, match="ENOSPC"):
                note_access(damaged.folder, "search", {"label": "pan"}, results=3)
    finally:
        over.set()
        gateway.join()
        os.close(attending)
    assert taken[0] == Accessed(what="search", arguments={"label": "pan"}, results=3)
    assert accesses(damaged.folder) == []


def test_a_gateway_that_does_not_answer_keeps_the_result_from_being_shown(
    damaged: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accessing, "WAIT_SECONDS", 0.3)
    tray = Tray(damaged.folder)
    attending = tray.attend()
    with pytest.raises(Unavailable, match="does not answer") as caught:
        note_access(damaged.folder, "search", {})
    os.close(attending)
    assert caught.value.code == "evidence.access_unrecorded"
    assert list(tray.pending()) == []


def test_a_gateway_that_goes_away_meanwhile_is_stood_in_for(damaged: Written) -> None:
    tray = Tray(damaged.folder)
    attending = tray.attend()
    leaving = threading.Timer(0.2, os.close, (attending,))
    leaving.start()
    assert note_access(damaged.folder, "search", {})
    leaving.join()
    assert list(tray.pending()) == []
    assert len(accesses(damaged.folder)) == 1


def test_a_log_that_another_process_writes_without_taking_orders_is_not_read_unrecorded(
    damaged: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accessing, "WAIT_SECONDS", 0.2)
    descriptor = os.open(damaged.folder / "log" / "lock", os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(Unavailable, match="another process"):
        note_access(damaged.folder, "search", {})
    os.close(descriptor)


def test_a_copy_without_its_key_is_read_unrecorded_unchanged_and_said_to_be(
    damaged: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in (damaged.folder / "keys").glob("*.key"):
        key.unlink()
    before = sorted(damaged.folder.rglob("*"))
    assert not note_access(damaged.folder, "search", {})
    assert "not recorded" in capsys.readouterr().err
    assert sorted(damaged.folder.rglob("*")) == before


def test_a_copy_nobody_can_write_to_is_read_unrecorded(
    damaged: Written, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert not note_access(damaged.folder, "search", {})
    assert "not recorded" in capsys.readouterr().err
    shutil.rmtree(damaged.folder / "log")
    assert not note_access(damaged.folder, "search", {})


def test_a_full_disk_keeps_the_result_from_being_shown(damaged: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        await asyncio.sleep(0)
        raise Unavailable("evidence.unavailable", "ENOSPC on opening the log")

    monkeypatch.setattr(accessing, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(accessing, "_by_hand", full)
    with pytest.raises(Unavailable, match="nothing is shown"):
        note_access(damaged.folder, "search", {})
