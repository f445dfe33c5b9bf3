"""`querywarden audit root`: one log over the logs of a fleet: collect their checkpoints, prove through both, check."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import cyclopts
from cyclopts import Parameter

from gateway.cli.audit.desk import FINE, SAYS_NO, JsonOption, Unreadable, reading
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import moment, printable, rows
from gateway.config.quantities import Duration
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.chain import Chain, Held, check_chain, make_chain
from gateway.evidence.explain import tell
from gateway.evidence.files import put_file
from gateway.evidence.keys import load_verifier
from gateway.evidence.note import NoteError
from gateway.evidence.proof import ProofError
from gateway.evidence.reader import open_epochs
from gateway.evidence.root_log import Result
from gateway.evidence.root_log import collect as take

app = cyclopts.App(name="root", help="One log over the logs of a fleet.")
LEAF, ROOT = ".leaf.tlog-proof", ".root.tlog-proof"
SLEEP: Final = time.sleep

RootOption = Annotated[Path, Parameter(name="--data", help="The root log's data folder; made when there is none.")]


@app.command
def collect(
    folders: Annotated[list[Path], Parameter(name="DIR", help="Data folders of gateways, or copies of them.")],
    /,
    *,
    data: RootOption,
    every: Annotated[str, Parameter(help="Go on, and collect again after this time, e.g. 1m.")] = "",
    as_json: JsonOption = False,
) -> int:
    """Verify the newest checkpoint of each log, compare it with the one before, make it a leaf of the root log.

    Exits 1 when one was refused: another key, fewer leaves, or a tree that does not contain the one before.
    """
    pause = _seconds(every) if every else 0.0
    while True:
        results = asyncio.run(take(data, folders, SystemClock()))
        sys.stdout.write(_said(results, as_json=as_json))
        sys.stdout.flush()
        if not pause:
            return SAYS_NO if any(result.outcome == "refused" for result in results) else FINE
        SLEEP(pause)


@app.command
def prove(
    decision: Annotated[str, Parameter(help="The decision's id.")],
    /,
    *,
    data: RootOption,
    of: Annotated[Path, Parameter(help="The data folder whose log has the decision.")],
    output: Annotated[str, Parameter(name=["--output", "-o"], help="What the two files begin with.")],
) -> int:
    """Write two proofs: the decision under a collected checkpoint, and that checkpoint under the root log's own."""
    with reading():
        story = tell(of, decision)
    if story is None:
        raise Unreadable("audit.unknown_decision", f"{printable(decision)}: the log has no such decision")
    reader = next(each for each in open_epochs(of) if each.epoch == story.epoch)
    try:
        with reading():
            chain = make_chain(data, reader, story.decided.number)
    except ProofError as error:
        raise Unreadable("audit.unproved", str(error)) from None
    put_file(Path(output + LEAF), chain.leaf)
    put_file(Path(output + ROOT), chain.root)
    return FINE


@app.command
def check(
    files: Annotated[str, Parameter(name="FILES", help="What the two files begin with.")],
    /,
    *,
    key: Annotated[Path, Parameter(help="The root log's public key: all that is believed.")],
    as_json: JsonOption = False,
) -> int:
    """Verify the two proofs of `prove`. Exits 1 when they do not hold, or do not belong together."""
    chain = Chain(Path(files + LEAF).read_bytes(), Path(files + ROOT).read_bytes())
    try:
        verifier = load_verifier(key)
    except NoteError:
        raise ConfigError("config.invalid", f"{key}: not the public key of a log (`log-<epoch>.pub`)") from None
    try:
        held = check_chain(chain, verifier)
    except ProofError as error:
        said = {"ok": False, "why": str(error)}
        sys.stdout.write(written(said) if as_json else f"NOT proved: {printable(str(error))}\n")
        return SAYS_NO
    sys.stdout.write(written(_plain(held)) if as_json else _in_words(held))
    return FINE


def _seconds(every: str) -> float:
    try:
        return float(Duration.parse(every))
    except ValueError:
        raise ConfigError("config.invalid", "--every: a time like 30s or 5m") from None


def _said(results: list[Result], *, as_json: bool) -> str:
    if as_json:
        return written(results)
    lines = [
        f"{result.outcome:<9}  {printable(result.origin)}  {result.size:,} leaves"
        + (f": {printable(result.why)}" if result.why else "")
        for result in results
    ]
    return "".join(f"{line}\n" for line in lines) or "no log there\n"


def _plain(held: Held) -> dict[str, object]:
    parts = {"leaf": held.leaf, "root": held.root}
    return {"ok": True} | {
        name: {
            "origin": part.checkpoint.origin,
            "size": part.checkpoint.size,
            "root": part.checkpoint.root.hex(),
            "index": part.number,
            "leaf": part.leaf,
        }
        for name, part in parts.items()
    }


def _in_words(held: Held) -> str:
    leaf, root = held.leaf, held.root
    log, above = leaf.checkpoint, root.checkpoint
    return rows(
        [
            ("proved", f"leaf {leaf.number} of the {log.size} that {printable(log.origin)} has signed,"),
            ("", f"which is leaf {root.number} of the {above.size} that {printable(above.origin)} has signed"),
            ("collected", moment(int(root.leaf.t))),
            ("decision", printable(leaf.leaf.did)),
            ("when", moment(int(leaf.leaf.t))),
            ("outcome", printable(leaf.leaf.outcome)),
        ]
    )
