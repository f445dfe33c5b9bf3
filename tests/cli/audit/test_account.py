"""One decision's account: log and bundle put together, and whether it holds."""

from pathlib import Path

import msgspec

from gateway.cli.audit.account import Account, Place, account_of, accounts_of
from gateway.cli.audit.recompute import Result, archive_of
from gateway.evidence.explain import tell
from tests.cli.audit.world import Written


def account(written: Written, did: str) -> Account:
    story = tell(written.folder, did)
    assert story is not None
    return account_of(story, archive_of(written.folder))


def remove_objects(folder: Path) -> None:
    for path in [*(folder / "objects").rglob("*"), *(folder / "log/1/wal").glob("*")]:
        if path.is_file():
            path.unlink()


def test_a_decision_of_policy_is_told_with_rules_and_recomputed_equal(desk: Written) -> None:
    told = account(desk, desk.by_policy)
    assert (told.recomputed, told.ok) == (Result.EQUAL, True)
    assert told.revision
    assert told.reasons
    assert all(reason.file.endswith(".rego") and reason.line > 0 for reason in told.reasons)
    assert told.activated["why"] == "start"
    assert told.proof.signed
    assert told.proof.holds
    assert told.statement == "SELECT ?"


def test_a_refusal_of_the_gateway_has_nothing_to_compute(desk: Written) -> None:
    told = account(desk, desk.refused)
    assert (told.recomputed, told.ok) == (Result.NOT_ASKED, True)
    assert told.refused["code"] == "statement.unanalysable"


def test_without_its_bundle_a_decision_does_not_hold(desk: Written) -> None:
    told = account(desk, desk.hostile)
    assert (told.recomputed, told.ok) == (Result.IMPOSSIBLE, False)
    assert told.finished["outcome"] == "done"


def test_without_what_was_stored_a_decision_does_not_hold(damaged: Written) -> None:
    remove_objects(damaged.folder)
    told = account(damaged, damaged.by_policy)
    assert (told.recomputed, told.ok, told.statement) == (Result.IMPOSSIBLE, False, "")


def test_a_bundle_that_was_changed_does_not_hold(damaged: Written) -> None:
    path = damaged.folder / "bundles" / f"{damaged.bundle}.tar.gz"
    path.write_bytes(b"another")
    told = account(damaged, damaged.by_policy)
    assert (told.recomputed, told.ok) == (Result.IMPOSSIBLE, False)
    assert "not that bundle" in told.why


def test_an_account_is_plain_json(desk: Written) -> None:
    document = msgspec.json.decode(msgspec.json.encode(account(desk, desk.by_policy)))
    assert document["recomputed"] == "equal"
    assert document["who"] == {"id": "agent-7", "issuer": "https://idp.test", "on_behalf_of": "maria"}


def test_lines_of_the_archived_bundle_are_cited_and_the_activation_says_who(desk: Written) -> None:
    told = account(desk, desk.by_policy)
    assert {(cited.file, cited.line) for cited in told.cited} == {(each.file, each.line) for each in told.reasons}
    assert all(cited.text and cited.title for cited in told.cited)
    assert (told.activated["type"], told.activated["who"]) == ("bundle.activated", "maria")
    assert told.engine_now.startswith("embedded/")


def test_one_id_in_two_leaves_does_not_hold(desk: Written) -> None:
    story = tell(desk.folder, desk.by_policy)
    assert story is not None
    first, second = accounts_of([story, story], archive_of(desk.folder))
    assert first.also == (Place(origin=story.proof.checkpoint.origin, epoch=1, leaf=4),) == second.also
    assert not first.ok
    (only,) = accounts_of([story], archive_of(desk.folder))
    assert (only.also, only.ok) == ((), True)


def test_a_leaf_with_another_policy_digest_than_its_bundle_does_not_hold(desk: Written) -> None:
    story = tell(desk.folder, desk.by_policy)
    assert story is not None
    leaf = msgspec.structs.replace(story.decided.leaf, policy_digest=f"sha256:{'d' * 64}")
    told = account_of(story._replace(decided=story.decided._replace(leaf=leaf)), archive_of(desk.folder))
    assert (told.recomputed, told.ok) == (Result.DIFFERENT, False)


def test_what_the_agent_said_and_who_approved_is_told(desk: Written) -> None:
    story = tell(desk.folder, desk.by_policy)
    assert story is not None
    assert story.input is not None
    document = msgspec.json.decode(story.input, type=dict[str, object])
    approvals = [{"id": "a1", "status": "approved", "approvers": ["otto"]}]
    document["context"] = {"purpose": "refund", "ticket": "T-1", "channel": "http", "approvals": approvals}
    told = account_of(story._replace(input=msgspec.json.encode(document)), archive_of(desk.folder))
    assert (told.purpose, told.ticket, told.channel) == ("refund", "T-1", "http")
    assert told.approvals == tuple(approvals)
    assert not told.ok
