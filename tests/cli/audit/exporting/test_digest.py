"""`audit digest` and `audit sign-off`: what stands out, who looked, and that it is the same digest."""

import json

import pytest

from gateway import cli
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from tests.cli.audit.exporting.world import DAY, Days
from tests.evidence.world import TickClock

BEFORE = "2026-11-24"


def run(days: Days, command: str, *more: str) -> int:
    return cli.main(["audit", command, "--data", str(days.folder), *more])


def test_what_stands_out_comes_first(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(days, "digest", "--day", BEFORE) == cli.DONE
    out = capsys.readouterr().out
    for part in (
        "agent.new          agent-7", "card_data.cleared  reader-1: public.cards.pan", "evidence.degraded  ENOSPC",
        "logins.failed      10.0.0.9", "policy.stopped", "access.no_grant", "not yet", "token.expired 6",
    ):  # fmt: skip
        assert part in out
    assert out.index("stands out") < out.index("decisions")


def test_an_agent_of_the_day_before_is_not_new(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(days, "digest", "--day", DAY, "--json") == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert "agent.new" not in {each["name"] for each in told["digest"]["detections"]}


def test_a_sign_off_names_the_digest_and_is_told_afterwards(own_days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(own_days, "digest", "--day", BEFORE, "--json") == cli.DONE
    seen = json.loads(capsys.readouterr().out)["sha256"]
    assert run(own_days, "sign-off", "--day", BEFORE, "--reason", "looked", "--digest", seen, "--as", "eve") == cli.DONE
    assert "now: looked" in capsys.readouterr().out
    assert run(own_days, "digest", "--day", BEFORE, "--json") == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert told["sha256"] == seen
    assert (told["signed_off"]["who"], told["signed_off"]["digest"]) == ("eve", seen)
    leaves = [decode_leaf(raw) for _, raw in next(open_views(own_days.folder)).upwards(0)]
    (leaf,) = [leaf for leaf in leaves if leaf.type == "review.signed"]
    assert leaf.facts()["day"] == BEFORE
    assert verify(own_days.folder, TickClock()).ok


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--day", BEFORE, "--reason", "  "], "--reason"),
        (["--day", BEFORE, "--reason", "x", "--digest", "sha256:0"], "look at it again"),
        (["--day", "tuesday", "--reason", "x"], "--day tuesday"),
    ],
)
def test_a_sign_off_that_says_too_little_is_refused(
    days: Days, more: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(days, "sign-off", *more) == cli.USAGE
    assert said in capsys.readouterr().err


def test_a_day_of_which_nothing_is_known_is_empty(days: Days, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(days, "digest", "--day", "2020-01-01") == cli.DONE
    assert "nothing" in capsys.readouterr().out
