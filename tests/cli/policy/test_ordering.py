"""Orders say who gave them and why, and what became of them; without a gateway they wait, and that is said."""

import os
import pwd
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.policy import ordering
from gateway.policy.memory import Memory
from gateway.policy.orders import Activate, Answer, Halt, Lift, Rollback, Tray
from gateway.policy.stops import Stop
from gateway.policy.store import BundleStore
from tests.config.world import GOOD, furnish


@pytest.fixture
def config(tmp_path: Path) -> Path:
    furnish(tmp_path)
    (tmp_path / "var").mkdir(mode=0o700)
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def order(config: Path, *arguments: str) -> int:
    return cli.main(["policy", *arguments, "-c", str(config)])


def test_an_order_nobody_takes_waits_and_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert order(config, "stop", "--group", "agents", "--reason", "odd reads") == cli.UNREACHABLE
    assert "no gateway runs here" in capsys.readouterr().out
    ((_, waiting),) = Tray(config.parent / "var").pending()
    assert waiting is not None
    assert (waiting.command, waiting.reason) == (Halt(kind="group", name="agents"), "odd reads")
    assert waiting.by.endswith(pwd.getpwuid(os.getuid()).pw_name)


@pytest.mark.parametrize(("ok", "code"), [(True, cli.DONE), (False, cli.SAYS_NO)])
def test_what_became_of_it_is_the_exit_code(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, ok: bool, code: int
) -> None:
    monkeypatch.setattr(ordering, "_answered", lambda *_: Answer(ok=ok, text="so it is"))
    assert order(config, "lift", "some-stop", "--reason", "over", "--json") == code
    assert '"says": "so it is"' in capsys.readouterr().out
    ((_, given),) = Tray(config.parent / "var").pending()
    assert given is not None
    assert given.command == Lift(stop="some-stop")


def test_a_gateway_that_looks_but_does_not_answer_is_not_waited_for_for_ever(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "WAIT_SECONDS", 0.2)
    attending = Tray(config.parent / "var").attend()
    assert order(config, "stop", "--everything", "--reason", "r") == cli.UNREACHABLE
    os.close(attending)


def test_a_bundle_goes_along_with_its_order(config: Path) -> None:
    assert order(config, "activate", str(config.parent / "bundle.tar.gz"), "--reason", "r") == cli.UNREACHABLE
    tray = Tray(config.parent / "var")
    ((order_id, given),) = tray.pending()
    assert given is not None
    assert given.command == Activate()
    assert tray.bundle(order_id) == b""
    assert order(config, "activate", str(config.parent / "missing"), "--reason", "r") == cli.USAGE


def test_a_past_bundle_is_named_by_its_first_digits(config: Path) -> None:
    data = config.parent / "var"
    digest = BundleStore(data).keep(b"past")
    assert order(config, "rollback", digest[:8], "--reason", "r") == cli.UNREACHABLE
    ((_, given),) = Tray(data).pending()
    assert given is not None
    assert given.command == Rollback(to=digest)
    assert order(config, "rollback", "nothing", "--reason", "r") == cli.USAGE


@pytest.mark.parametrize(
    "whom", [(), ("--subject", "a", "--group", "b"), ("--everything", "--connection", "c")], ids=str
)
def test_a_stop_names_one(config: Path, whom: tuple[str, ...]) -> None:
    assert order(config, "stop", *whom, "--reason", "r") == cli.USAGE
    assert order(config, "stop", "--everything", "--reason", "  ") == cli.USAGE
    assert list(Tray(config.parent / "var").pending()) == []


def test_the_stops_that_stand_are_listed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = Stop(id="s1", kind="subject", name="agent-7", reason="odd reads", by="maria", at="2026-11-25T00:00:00Z")
    Memory.open(config.parent / "var").keep(stops=(stop,))
    assert order(config, "stops") == cli.DONE
    assert "s1  subject agent-7  since 2026-11-25T00:00:00Z, by maria: odd reads" in capsys.readouterr().out
    assert order(config, "stops", "--json") == cli.DONE
    assert '"name": "agent-7"' in capsys.readouterr().out
