"""`querywarden audit explain`: everything about one decision, its place in the signed log, and the decision again."""

import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from gateway.cli.audit.account import Account, account_of
from gateway.cli.audit.desk import (
    FINE,
    SAYS_NO,
    ConfigOption,
    DataOption,
    JsonOption,
    KeyOption,
    Unreadable,
    data_folder,
    reading,
    trusted,
)
from gateway.cli.audit.recompute import Result, archive_of
from gateway.cli.audit.words import moment, printable, rows
from gateway.core.verdict import Finding
from gateway.evidence.explain import tell

_SAYS: Final = {
    Result.EQUAL: "EQUAL",
    Result.DIFFERENT: "DIFFERENT",
    Result.NOT_ASKED: "nothing to compute",
    Result.NO_ANSWER: "nothing to compare",
    Result.IMPOSSIBLE: "NOT POSSIBLE",
}
_TOLD: Final = frozenset({"leaf", "time_ns", "outcome", "phase", "rows", "bytes", "us", "masked", "blanked"})
"""facts of a finished statement that have their own words"""


def explain(
    decision: str,
    /,
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    as_json: JsonOption = False,
) -> int:
    """Everything about one decision. Exits 1 when its proof fails or it cannot be computed again, equal.

    Parameters
    ----------
    decision
        The decision's id: every message to an agent has it, and so does `audit search`.
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    key
        The log's public key, kept elsewhere. Without it the one beside the log is believed.
    as_json
        Print everything as JSON.

    """
    folder, verifier = data_folder(config, data), trusted(key)
    with reading():
        story = tell(folder, decision, verifier)
        if story is None:
            raise Unreadable("audit.unknown_decision", f"{printable(decision)}: the log has no such decision")
        account = account_of(story, archive_of(folder))
    if as_json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(account), indent=2).decode() + "\n")
    else:
        sys.stdout.write(in_words(account))
    return FINE if account.ok else SAYS_NO


def in_words(account: Account) -> str:
    """What a person reads."""
    who = account.who
    person = f", for {who.on_behalf_of}" if who and who.on_behalf_of else ""
    issuer = f" ({who.issuer})" if who and who.issuer else ""
    return rows(
        [
            ("decision", account.did),
            ("when", moment(account.time_ns)),
            ("who", printable(f"{who.id}{issuer}{person}") if who else ""),
            ("what", printable(f"{account.action} on {account.connection}")),
            ("statement", printable(account.statement)),
            ("outcome", "\n".join(_outcome(account))),
            ("reasons", "\n".join(line for finding in account.reasons for line in _reason(finding))),
            ("ended", _ended(account)),
            ("bundle", "\n".join(_bundle(account))),
            ("activated", _activated(account)),
            ("record", f"session {account.sid}, number {account.seq}; leaf {account.leaf} of epoch {account.epoch}"),
            ("", f"catalog {account.catalog or '-'}"),
            ("", f"plan {account.plan or '-'}"),
            ("proof", _proof(account)),
            ("recomputed", f"{_SAYS[account.recomputed]}: {printable(account.why)}"),
        ]
    )


def _outcome(account: Account) -> Iterator[str]:
    yield account.outcome
    if account.refused and account.refused.get("code") not in {finding.code for finding in account.reasons}:
        yield printable(f"by the gateway itself: {account.refused.get('code')}: {account.refused.get('message')}")
    if account.answered not in {"", account.outcome}:
        yield f"the bundle had answered {account.answered}"
    for mask in account.obligations.masks:
        yield printable(f"mask {mask.schema}.{mask.relation}.{mask.column}: {mask.method}")
    for row_filter in account.obligations.row_filters:
        yield printable(f"only rows of {row_filter.schema}.{row_filter.relation} with {row_filter.sql}")
    rest = {"limits": account.obligations.limits, "approval": account.obligations.approval}
    for name, value in rest.items():
        if value and (said := msgspec.json.encode(value)) != b"{}":
            yield printable(f"{name}: {said.decode()}")


def _reason(finding: Finding) -> Iterator[str]:
    yield printable(f"{finding.code}: {finding.message}")
    if finding.file:
        yield printable(f"  {finding.file}:{finding.line}  {' '.join(finding.controls)}")
    if finding.remedy:
        yield printable(f"  {finding.remedy}")


def _ended(account: Account) -> str:
    facts = account.finished
    if not facts:
        return "nothing was let through" if account.outcome == "deny" else "no outcome is recorded (yet)"
    text = str(facts.get("outcome"))
    if "rows" in facts:
        text += f": {facts['rows']} rows, {facts.get('bytes')} bytes, {facts.get('us')} µs"
    masked, blanked = facts.get("masked"), facts.get("blanked")
    if isinstance(masked, list):
        text += f"; masked {', '.join(map(str, masked))}"
    if blanked:
        text += f"; {blanked} values blanked by the card scan"
    rest = {name: value for name, value in facts.items() if name not in _TOLD}
    return printable(text + "".join(f"; {name} {value}" for name, value in rest.items()))


def _bundle(account: Account) -> Iterator[str]:
    if not account.bundle:
        yield "none: no bundle was active"
        return
    yield account.bundle
    yield printable(f"revision {account.revision or '?'}, policy digest {account.policy_digest or '?'}")
    yield printable(account.engine)


def _activated(account: Account) -> str:
    facts = account.activated
    if not facts:
        return "the log does not say when this bundle was activated" if account.bundle else ""
    why = {name: value for name, value in facts.items() if name not in {"leaf", "time_ns", "revision"} and value}
    told = ", ".join(f"{name} {value}" for name, value in why.items())
    return printable(f"{moment(int(str(facts['time_ns'])))}, leaf {facts['leaf']}: {told}")


def _proof(account: Account) -> str:
    proof = account.proof
    origin = printable(proof.origin)
    if not proof.signed:
        return f"leaf {account.leaf} is written but not signed yet: the checkpoint of {origin} has {proof.size} leaves"
    word = "holds" if proof.holds else "FAILS"
    return f"{word}: leaf {account.leaf} in the tree of {proof.size} leaves that {origin} has signed\nroot {proof.root}"
