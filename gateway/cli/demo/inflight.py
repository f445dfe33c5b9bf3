"""Recorded before it is forwarded: the decision is in the log while the database still works on the statement."""

import msgspec

from gateway.cli.demo.commands import CONFIG, typed, until
from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Stage
from gateway.cli.demo.tour import SUPPORT

SLOW = (
    "SELECT count(*) FROM transactions AS t0, transactions AS t1, transactions AS t2, transactions AS t3, orders AS t4"
)
"""four thousand million combinations: it does not end before it is cancelled"""
CANCELED = "57014"


class _Hit(msgspec.Struct):
    did: str
    outcome: str
    ended: str


def recorded_before(stage: Stage) -> Scene:
    """Look into the log while a statement runs, then give it up and look again."""
    arguments = ("audit", "search", *CONFIG, "--subject", SUPPORT, "--text", "AS t0", "--limit", "1", "--json")
    running = stage.begin(SUPPORT, SLOW)
    try:
        meanwhile = hit(until(stage, arguments, lambda text: hit(text) is not None)[1])
    finally:
        answer = running.cancel()
    after = hit(until(stage, arguments, has_ended)[1])
    came = f"while it runs   {told(meanwhile)}\n{answer.error or 'it ended by itself'}\nafterwards      {told(after)}"
    return Scene(
        title="A long statement: is it in the log before the database has done it?", who=SUPPORT,
        sent=f"{SLOW}\n(meanwhile, in another terminal: {typed(*arguments)})", came=came,
        claim="a decision is recorded before its statement is forwarded; how it ended is recorded after it",
        holds=meanwhile is not None and after is not None and answer.sqlstate == CANCELED
        and meanwhile.did == after.did and meanwhile.outcome == "allow" and not meanwhile.ended and bool(after.ended),
    )  # fmt: skip


def hit(said: str) -> _Hit | None:
    """The one line of a search; None when there is none."""
    try:
        return msgspec.json.decode(said.encode(), type=_Hit)
    except msgspec.DecodeError:
        return None


def has_ended(said: str) -> bool:
    """True when the search found it, with its end."""
    found = hit(said)
    return found is not None and bool(found.ended)


def told(found: _Hit | None) -> str:
    """A line about it."""
    if found is None:
        return "the log has nothing"
    return f"decision {found.did}  outcome {found.outcome}  ended {found.ended or '-'}"
