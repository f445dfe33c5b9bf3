"""`querywarden audit explain`: everything about one decision, its place in the signed log, and the decision again."""

import sys
from collections.abc import Callable, Iterator
from typing import Annotated, Final, NamedTuple, TypeAlias

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.account import Account, accounts_of
from gateway.cli.audit.asked import at_moment, is_statement, recordable, with_statement
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
from gateway.cli.audit.index_desk import Latest, open_finder
from gateway.cli.audit.recompute import Result, archive_of
from gateway.cli.audit.search import EVERYTHING, IndexOption, Wanted
from gateway.cli.audit.words import as_json as json_text
from gateway.cli.audit.words import harmless, instant, moment, printable, rows
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.verdict import Finding
from gateway.evidence.explain import tell_at
from gateway.evidence.finder import Finder
from gateway.evidence.search import Hit

_SAYS: Final = {
    Result.EQUAL: "EQUAL",
    Result.DIFFERENT: "DIFFERENT",
    Result.NOT_ASKED: "nothing to compute",
    Result.NO_ANSWER: "nothing to compare",
    Result.IMPOSSIBLE: "NOT POSSIBLE",
}
_TOLD: Final = frozenset({"leaf", "time_ns", "outcome", "phase", "rows", "bytes", "us", "masked", "blanked"})
"""facts of a finished statement that have their own words"""


Decision: TypeAlias = Annotated[
    str,
    Parameter(help="Its id (every message to an agent has it), or the statement itself, whose values do not matter."),
]
At: TypeAlias = Annotated[
    str, Parameter(help="The last decision until this time (2026-11-25T01:40, UTC) or age (15m).")
]


def explain(  # noqa: PLR0913 -- each is an option
    decision: Decision = "",
    /,
    *,
    at: At = "",
    wanted: Annotated[Wanted, Parameter(name="*", show_default=False)] = EVERYTHING,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    index: IndexOption = None,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Everything about one decision. Exits 1 when its proof fails or it cannot be computed again, equal.

    Of a statement the latest decision is told, and how many there are. The other options say which ones are meant.
    """
    if bool(decision) == bool(at):
        raise ConfigError("config.invalid", "which decision? Give its id, its statement, or --at a moment")
    folder, verifier = data_folder(config, data), trusted(key)
    with reading():
        with open_finder(folder, verifier, index) as finder:
            found = _asked(finder, decision, at, wanted)
            stories = [tell_at(each.view, *each[1:]) for each in finder.places(found.did)]
        if not stories:
            raise Unreadable("audit.unknown_decision", f"{printable(found.did)}: the log has no such decision")
        accounts = accounts_of(stories, archive_of(folder))
    asked = {**wanted.recorded(), "decision": recordable(decision) if is_statement(decision) else decision, "at": at}
    note_access(folder, "explain", {**asked, "found": found.did}, results=len(accounts), person=person)
    if as_json:
        sys.stdout.write(json_text(accounts[-1]))
    else:
        sys.stdout.write(harmless("\n".join(map(in_words, accounts)) + found.said(decision, at)))
    return FINE if all(account.ok for account in accounts) else SAYS_NO


class _Asked(NamedTuple):
    """The decision that is meant, and how many others could be."""

    did: str
    others: int = 0

    def said(self, decision: str, at: str) -> str:
        """What a person is told of the others."""
        if at:
            return "\nthe last decision until then\n"
        if not is_statement(decision):
            return ""
        return (
            f"\nthe latest of {self.others + 1:,} decisions about this statement; `audit search --statement` has all\n"
        )


def _asked(finder: Finder, decision: str, at: str, wanted: Wanted) -> _Asked:
    """Raises Unreadable when there is none, ConfigError for what is no moment.

    Which is the last, and that there is none, the log has to say: an index can leave out.
    """
    now = SystemClock().now_ns()
    query = wanted.query(now)
    if at:
        query = query._replace(until_ns=instant(at, now, "--at"))
        hit, number = _borne_out(finder, finder.latest(query), lambda: at_moment(finder, query))
        missing = f"no decision until {at}"
    elif is_statement(decision):
        hit, number = with_statement(finder, decision, query)
        if hit is None:
            seen, _ = with_statement(Latest(finder), decision, query)
            hit, number = _borne_out(finder, seen, lambda: with_statement(finder, decision, query))
        missing = "no decision is about this statement; `audit search --text` finds parts of statements"
    else:
        return _Asked(decision)
    if hit is None:
        raise Unreadable("audit.unknown_decision", printable(missing))
    return _Asked(hit.did, number - 1)


def _borne_out(finder: Finder, seen: Hit | None, ask: Callable[[], tuple[Hit | None, int]]) -> tuple[Hit | None, int]:
    """What the index answers, once it has the decision that was seen in the log."""
    hit, number = ask()
    if seen is None or (hit is not None and hit.did == seen.did):
        return hit, number
    finder.places(seen.did)  # an index that leaves it out is built again
    return ask()


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
            (
                "what",
                printable(
                    f"{account.action} on {account.connection}" + (f", by {account.channel}" if account.channel else "")
                ),
            ),
            ("statement", printable(account.statement)),
            ("why", printable(" · ".join(filter(None, [account.purpose, account.ticket])))),
            ("outcome", "\n".join(_outcome(account))),
            ("reasons", "\n".join(line for finding in account.reasons for line in _reason(finding, account))),
            ("approval", "\n".join(map(_approval, account.approvals))),
            ("ended", _ended(account)),
            ("bundle", "\n".join(_bundle(account))),
            ("activated", _activated(account)),
            ("record", f"session {account.sid}, number {account.seq}; leaf {account.leaf} of epoch {account.epoch}"),
            ("", f"catalog {account.catalog or '-'}"),
            ("", f"plan {account.plan or '-'}"),
            ("proof", _proof(account)),
            ("recomputed", f"{_SAYS[account.recomputed]}: {printable(account.why)}\n{printable(_engines(account))}"),
            ("ALSO", "\n".join(_also(account))),
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


def _reason(finding: Finding, account: Account) -> Iterator[str]:
    yield printable(f"{finding.code}: {finding.message}")
    if finding.file:
        yield printable(f"  {finding.file}:{finding.line}  {' '.join(finding.controls)}")
    for cited in account.cited:
        if (cited.file, cited.line) == (finding.file, finding.line) and cited.title:
            yield printable(f"  “{cited.title}”")
    if finding.remedy:
        yield printable(f"  {finding.remedy}")


def _approval(approval: dict[str, object]) -> str:
    approvers = approval.get("approvers")
    by = ", ".join(map(str, approvers)) if isinstance(approvers, list) else ""
    return printable(f"{approval.get('id')}: {approval.get('status')}" + (f" by {by}" if by else ""))


def _engines(account: Account) -> str:
    if account.recomputed is not Result.EQUAL or account.engine == account.engine_now:
        return ""
    return f"decided by {account.engine}, computed again by {account.engine_now}"


def _also(account: Account) -> Iterator[str]:
    """A decision has one leaf; another with its id is somebody else's, or a copy of the log was gone on with."""
    for place in account.also:
        yield printable(f"leaf {place.leaf} of {place.origin} (epoch {place.epoch}) has the same id")


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
    hidden = {"leaf", "time_ns", "revision", "type", "outcome"}
    why = {name: value for name, value in facts.items() if name not in hidden and value}
    told = ", ".join(f"{name} {value}" for name, value in why.items())
    back = "rolled back to, " if str(facts.get("type", "")).endswith("rolled_back") else ""
    return printable(f"{back}{moment(int(str(facts['time_ns'])))}, leaf {facts['leaf']}: {told}")


def _proof(account: Account) -> str:
    proof = account.proof
    origin = printable(proof.origin)
    if not proof.signed:
        return f"leaf {account.leaf} is written but not signed yet: the checkpoint of {origin} has {proof.size} leaves"
    word = "holds" if proof.holds else "FAILS"
    return f"{word}: leaf {account.leaf} in the tree of {proof.size} leaves that {origin} has signed\nroot {proof.root}"
