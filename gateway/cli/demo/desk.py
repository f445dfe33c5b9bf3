"""The tour's second half: the security engineer's and the auditor's commands, on what has just happened."""

import re
from collections.abc import Iterator

from gateway.cli.demo import tamper, trials
from gateway.cli.demo.commands import CONFIG, typed, until
from gateway.cli.demo.inflight import recorded_before
from gateway.cli.demo.leaks import nothing_secret
from gateway.cli.demo.place import RECORDING_KEY
from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Answer, Stage
from gateway.cli.demo.tour import DENIED, SUPPORT

DROP = "DROP TABLE cards"
DECISION = re.compile(r"decision ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


def decision_of(answer: Answer) -> str:
    """The decision's id that stands in a refusal; empty when there is none."""
    found = DECISION.search(answer.error)
    return found[1] if found else ""


def found_in_the_log(stage: Stage, refusal: Answer) -> Scene:
    """The id in the agent's error is the auditor's way in."""
    did = decision_of(refusal)
    arguments = ("audit", "search", *CONFIG, "--outcome", "deny", "--action", "drop", "--limit", "1")
    code, said = stage.command(*arguments)
    lines = [line for line in said.splitlines() if did and did in line and "--after" not in line]
    return Scene(
        title=f"The auditor looks for the denied statement; its error said: decision {did}",
        sent=typed(*arguments), came=said,
        claim="the decision an agent was told of is in the log, with who, what and why",
        holds=refusal.sqlstate == DENIED and code == 0 and len(lines) == 1
        and all(word in lines[0] for word in (SUPPORT, "deny", "access.blocked", DROP)),
    )  # fmt: skip


def explained(stage: Stage, did: str) -> Scene:
    """Rule, file, line, requirement; the leaf's proof; the decision again."""
    arguments = ("audit", "explain", did, *CONFIG)
    code, said = until(stage, arguments, lambda text: "has signed" in text)
    return Scene(
        title="Why was it denied, and would the same policy say so again?", sent=typed(*arguments), came=said,
        claim="the bundle named by its hash answers the same bytes again, and the record is proved to be in the log",
        holds=code == 0 and all(part in said for part in (did, "recomputed  EQUAL", "holds: leaf", "blocked.rego:")),
    )  # fmt: skip


def replayed(stage: Stage, did: str) -> Scene:
    """The session again, from the recording that only the key's owner can open."""
    arguments = ("audit", "replay", did, "--key", RECORDING_KEY, *CONFIG)
    code, said = until(stage, arguments, lambda text: "the agent left" in text)
    return Scene(
        title="What did the agent do, and what did it see?", sent=typed(*arguments), came=said,
        claim="the session is recorded as the agent saw it, encrypted to a key the gateway does not have",
        holds=code == 0 and all(part in said for part in (did, DROP, "deny: access.blocked", f"ERROR {DENIED}")),
    )  # fmt: skip


def verified(stage: Stage) -> Scene:
    """The whole log, derived again from what lies on disk."""
    arguments = ("audit", "verify", *CONFIG)
    code, said = stage.command(*arguments)
    return Scene(
        title="Does the whole log hold?", sent=typed(*arguments), came=said,
        claim="every leaf, tile, body and checkpoint is derived again, and fits what was signed",
        holds=code == 0 and "\nverified: " in said and "GRAVE" not in said,
    )  # fmt: skip


def play(stage: Stage) -> Iterator[Scene]:
    """Every scene in order."""
    yield trials.tried(stage)
    yield recorded_before(stage)
    refusal = stage.ask(SUPPORT, DROP)
    yield found_in_the_log(stage, refusal)
    yield explained(stage, decision_of(refusal))
    yield replayed(stage, decision_of(refusal))
    yield verified(stage)
    yield tamper.caught(stage, decision_of(refusal))
    yield nothing_secret(stage)
