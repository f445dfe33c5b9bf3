"""What a person orders holds: stops at once and through restarts, bundles by command, a way back; all recorded."""

import asyncio
import time

import psycopg
import pytest

from gateway.cli import DONE, SAYS_NO, UNREACHABLE, USAGE
from tests.app.place import Place
from tests.support.bundle import everything_but_clear

READ = b"SELECT id FROM customers WHERE id = %s"
REASON = ("--reason", "as agreed")


@pytest.mark.parametrize(
    "whom",
    [("--subject", "agent-7"), ("--group", "agents"), ("--connection", "payments"), ("--everything",)],
)
async def test_a_stop_denies_what_was_prepared_before_within_a_second_until_it_is_lifted(
    place: Place, whom: tuple[str, ...]
) -> None:
    async with place.running(), await place.connect() as agent:
        await agent.execute(READ, (1,), prepare=True)
        ordered = time.monotonic()
        assert await place.order("stop", *whom, *REASON) == DONE
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="emergency stop"):
            await agent.execute(READ, (1,), prepare=True)
        assert time.monotonic() - ordered < 60
        (stop,) = place.leaves("policy.stopped")
        assert isinstance(stop["data"], dict)
        assert await place.order("lift", str(stop["data"]["stop"]), *REASON) == DONE
        assert await (await agent.execute(READ, (1,), prepare=True)).fetchall() == [(1,)]
    (lifted,) = place.leaves("policy.stop_lifted")
    for leaf in (stop, lifted):
        assert leaf["who"]
        assert isinstance(leaf["data"], dict)
        assert leaf["data"]["reason"] == "as agreed"
    refused = [leaf for leaf in place.leaves("statement.decided") if leaf["outcome"] == "deny"]
    assert [leaf["data"]["refused"]["code"] for leaf in refused if isinstance(leaf["data"], dict)] == ["policy.stopped"]


async def test_a_stop_for_others_stops_nobody_else(place: Place) -> None:
    async with place.running():
        for whom in (("--subject", "agent-8"), ("--group", "writers"), ("--connection", "ledger")):
            assert await place.order("stop", *whom, *REASON) == DONE
        assert await place.ask("SELECT 1 AS a") == [(1,)]


async def test_who_is_stopped_can_still_undo_what_is_open(place: Place) -> None:
    async with place.running(), await place.connect() as agent:
        await agent.execute(b"BEGIN")
        await agent.execute(READ, (1,))
        await place.order("stop", "--everything", *REASON)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="emergency stop"):
            await agent.execute(READ, (1,))
        await agent.execute(b"ROLLBACK")
        assert agent.info.transaction_status is psycopg.pq.TransactionStatus.IDLE


async def test_a_stop_holds_through_a_restart_and_one_ordered_while_nobody_runs_holds_from_the_start(
    place: Place,
) -> None:
    async with place.running():
        await place.order("stop", "--group", "agents", *REASON)
    assert await place.order("stop", "--connection", "payments", *REASON) == UNREACHABLE
    async with place.running():
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="emergency stop"):
            await place.ask("SELECT 1 AS a")
        stops = place.leaves("policy.stopped")
        assert [leaf["data"]["why"] for leaf in stops if isinstance(leaf["data"], dict)] == [
            "policy stop", "stood when the gateway started", "policy stop",
        ]  # fmt: skip
        for leaf in stops[1:]:
            assert isinstance(leaf["data"], dict)
            await place.order("lift", str(leaf["data"]["stop"]), *REASON)
        assert await place.ask("SELECT 1 AS a") == [(1,)]


async def test_stops_can_be_listed_and_one_that_stops_nobody_or_too_many_is_refused(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    async with place.running():
        assert await place.order("stop", *REASON) == USAGE
        assert await place.order("stop", "--subject", "a", "--everything", *REASON) == USAGE
        assert await place.order("stop", "--everything", "--reason", " ") == USAGE
        assert await place.order("lift", "no-such-stop", *REASON) == SAYS_NO
        assert await place.order("stop", "--subject", "agent-8", *REASON) == DONE
        capsys.readouterr()
        assert await place.order("stops") == DONE
        assert "subject agent-8" in capsys.readouterr().out


async def test_bundles_come_and_go_by_order_and_the_log_says_who_and_why(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = everything_but_clear("payments", deny=[{"actions": ["select"], "connections": ["payments"]}])
    new, old = place.bundle(strict, sequence=2), place.bundle(strict, "old.tar.gz", sequence=0)
    async with place.running() as gateway:
        first = gateway.activator.active_sha256
        assert await place.order("activate", str(new), *REASON) == DONE
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await place.ask("SELECT 1 AS a")
        assert await place.order("activate", str(old), *REASON) == SAYS_NO
        assert await place.order("rollback", "--reason", "denies too much") == DONE
        assert gateway.activator.active_sha256 == first
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        assert await place.order("rollback", "0000", *REASON) == USAGE
        capsys.readouterr()
        assert await place.order("log") == DONE
        lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == [
        "bundle.rolled_back", "bundle.rejected", "bundle.activated", "bundle.activated",
    ]  # fmt: skip
    assert "denies too much" in lines[0]
    assert "bundle.sequence" in lines[1]
    (back,) = place.leaves("bundle.rolled_back")
    assert back["who"]


async def test_what_was_rolled_back_to_still_decides_after_a_restart(place: Place) -> None:
    new = place.bundle(everything_but_clear("payments", masks={"pan": "null"}), sequence=2)
    async with place.running() as gateway:
        first = gateway.activator.active_sha256
        (place.folder / "bundle.tar.gz").write_bytes(new.read_bytes())
        await gateway.reload()
        assert gateway.activator.active_sha256 != first
        await place.order("rollback", *REASON)
    async with place.running() as gateway:
        assert gateway.activator.active_sha256 == first
        assert await gateway.activator.load("asked") is False
        assert gateway.activator.active_sha256 == first


async def test_a_key_that_is_revoked_in_its_file_ends_the_bundle_it_signed(place: Place) -> None:
    async with place.running() as gateway:
        assert await place.ask("SELECT 1 AS a") == [(1,)]
        key = place.folder / "policy.pub"
        key.write_bytes(b"revoked: 2026-11-25 stolen\n" + key.read_bytes())
        for _ in range(200):
            if not gateway.activator.active_sha256:
                break
            await asyncio.sleep(0.05)
        with pytest.raises(psycopg.errors.CannotConnectNow, match="no valid policy bundle"):
            await place.ask("SELECT 1 AS a")
    codes = [leaf["data"]["code"] for leaf in place.leaves("bundle.rejected") if isinstance(leaf["data"], dict)]
    assert codes[0] == "bundle.revoked_key"


async def test_a_candidate_is_recorded_beside_each_decision_and_decides_nothing(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    place.configure({"shadow": "candidate.tar.gz"})
    place.bundle(everything_but_clear("payments", deny=[{"pattern": "(?i)customers", "connections": ["payments"]}]),
                 "candidate.tar.gz")  # fmt: skip
    async with place.running():
        assert await place.ask("SELECT id FROM customers WHERE id = 1") == [(1,)]
        assert await place.ask("SELECT id FROM orders WHERE id = -1") == []
        capsys.readouterr()
        assert await place.order("shadow") == SAYS_NO
        said = capsys.readouterr().out
    assert "allow → deny" in said
    assert "2 decisions compared, 1 would differ" in said
    facts = [leaf["data"] for leaf in place.leaves("statement.decided")]
    assert [fact["shadow"]["outcome"] for fact in facts if isinstance(fact, dict)] == ["deny", "allow"]


async def test_a_candidate_that_could_never_be_active_is_refused_and_nothing_is_compared(place: Place) -> None:
    place.configure({"shadow": "candidate.tar.gz"})
    (place.folder / "candidate.tar.gz").write_bytes(b"nonsense")
    async with place.running():
        assert await place.ask("SELECT 1 AS a") == [(1,)]
    (refused,) = place.leaves("bundle.rejected")
    assert isinstance(refused["data"], dict)
    assert (refused["data"]["why"], refused["data"]["code"]) == ("shadow", "bundle.malformed")
    (decided,) = place.leaves("statement.decided")
    assert "shadow" not in str(decided["data"])
