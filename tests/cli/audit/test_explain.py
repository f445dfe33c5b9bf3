"""`audit explain` on the command line."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest

from gateway import cli
from gateway.evidence.index import FILE
from gateway.evidence.recorder import Recorder
from tests.cli.audit.test_accessing import accesses
from tests.cli.audit.world import Written
from tests.evidence.world import NOW, TickClock, decided


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["audit", "explain", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_it_says_everything_and_exits_0(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, read.by_policy, "--data", str(read.folder))
    assert code == cli.DONE
    for part in (
        read.by_policy, "agent-7 (https://idp.test), for maria", "select on payments", "SELECT ?", ".rego:",
        "PCI-DSS-4.0.1/", f"sha256:{read.bundle}", "why start", "holds: leaf 4", "EQUAL: the same bundle",
        "nothing was let through",
    ):  # fmt: skip
        assert part in out


def test_a_refusal_of_the_gateway_is_told(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, read.refused, "--data", str(read.folder))
    assert code == cli.DONE
    assert "by the gateway itself: statement.unanalysable: no SQL" in out
    assert "nothing to compute" in out


def test_what_does_not_hold_exits_1_and_says_why(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, read.hostile, "--data", str(read.folder))
    assert code == cli.SAYS_NO
    assert "NOT POSSIBLE: the bundle is not in the archive" in out
    assert "done: 1 rows, 9 bytes, 1200 µs" in out


def test_a_statement_cannot_write_to_the_terminal(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, read.hostile, "--data", str(read.folder))
    assert "SELECT \\x1b[2J \\u202e FROM t" in out
    assert "\x1b" not in out


def test_everything_can_be_had_as_json(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, read.by_policy, "--data", str(read.folder), "--json")
    document = json.loads(out)
    assert (code, document["did"], document["ok"]) == (cli.DONE, read.by_policy, True)
    assert document["proof"]["path"]


@pytest.mark.parametrize("how", ["id", "statement", "redacted", "moment"])
def test_a_decision_is_told_by_its_id_its_statement_or_its_moment(
    read: Written, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    asked = {
        "id": [read.by_policy],
        "statement": ["select  'a secret'; "],
        "redacted": ["SELECT ?"],
        "moment": ["--at", "2100-01-01", "--outcome", "deny", "--relation", "cards"],
    }
    code, out, _ = run(capsys, *asked[how], "--data", str(read.folder))
    assert code == cli.DONE
    assert out.startswith(f"decision    {read.by_policy}\n")
    leaf = accesses(read.folder)[-1]
    assert (leaf.act, leaf.facts()["results"]) == ("explain", 1)
    assert "secret" not in str(leaf.facts())
    assert read.by_policy in str(leaf.facts())


@pytest.mark.parametrize("how", ["id", "statement", "moment"])
def test_a_decision_that_the_index_leaves_out_is_told_all_the_same(
    damaged: Written, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    asked = {"id": [damaged.by_policy], "statement": ["SELECT 'x'"], "moment": ["--at", "2100-01-01"]}
    _, _, _ = run(capsys, damaged.by_policy, "--data", str(damaged.folder))
    with closing(sqlite3.connect(damaged.folder / "index" / FILE)) as index:
        index.execute("DELETE FROM decision")
        index.commit()
    code, out, err = run(capsys, *asked[how], "--data", str(damaged.folder))
    assert (code, out.startswith("decision    ")) == (cli.DONE, True)
    assert "it leaves out" in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], cli.USAGE), (["x", "--at", "1h"], cli.USAGE), (["--at", "soon"], cli.USAGE),
        (["--at", "1999-01-01"], cli.SAYS_NO), (["SELECT nothing"], cli.SAYS_NO), (["no 'SQL"], cli.SAYS_NO),
    ],
)  # fmt: skip
def test_what_is_not_there_or_cannot_be_asked_is_said(
    read: Written, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    found, out, err = run(capsys, *arguments, "--data", str(read.folder))
    assert (found, out) == (code, "")
    assert err.startswith("querywarden: ")


def test_one_id_in_two_epochs_is_told_twice_and_does_not_hold(
    damaged: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy was put back, and gone on with."""
    asyncio.run(again(damaged))
    code, out, _ = run(capsys, damaged.by_policy, "--data", str(damaged.folder))
    assert code == cli.SAYS_NO
    assert out.count(f"decision    {damaged.by_policy}") == 2
    assert "has the same id" in out
    code, out, _ = run(capsys, damaged.by_policy, "--data", str(damaged.folder), "--json")
    assert [place["epoch"] for place in json.loads(out)["also"]] == [1]


async def again(written: Written) -> None:
    (written.folder / "keys" / "mac-1.key").write_text("no key")
    recorder = await Recorder.open(written.folder, TickClock(NOW + 10**12), checkpoint_interval=3600)
    await recorder.append(decided(written.by_policy, ok=False))
    await recorder.close()


def test_an_unknown_decision_exits_1(read: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "no-such", "--data", str(read.folder))
    assert (code, err) == (cli.SAYS_NO, "querywarden: no-such: the log has no such decision\n")


def test_a_changed_leaf_fails_its_proof(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    path = next((damaged.folder / "log/1/tile/entries/000.p").iterdir())
    for bundle in path.parent.iterdir():
        bundle.write_bytes(bundle.read_bytes().replace(b'"id":"agent-7"', b'"id":"agent-8"'))
    code, out, _ = run(capsys, damaged.by_policy, "--data", str(damaged.folder))
    assert code == cli.SAYS_NO
    assert "FAILS: leaf 4" in out


def test_a_wrong_key_ends_with_a_sentence(read: Written, damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    key = str(damaged.folder / "keys/log-1.pub")
    code, _, err = run(capsys, read.by_policy, "--data", str(read.folder), "--key", key)
    assert code == cli.SAYS_NO
    assert "audit verify" in err


def test_no_log_is_a_usage_error(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "x", "--data", str(damaged.folder / "none"))
    assert code == cli.USAGE
    assert "no log here" in err
