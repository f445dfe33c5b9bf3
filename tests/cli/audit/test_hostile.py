"""Whatever an agent, a person or a forger wrote into a log, no command of the auditor's lets it move a cursor."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest

from gateway import cli
from gateway.core.events import Event, EventType, Who
from gateway.evidence.recorder import Recorder
from gateway.policy.store import BundleStore
from tests.cli.audit.world import ARCHIVE, document_of
from tests.evidence.world import TickClock, input_document

EVIL = "\x1b]0;x\x07\x9b2J\u202e\u2028\u2066\u200f\x7f\r"
DID = "01ba60d3-3801-7977-9650-a75052143078"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "var"
    asyncio.run(forge(folder))
    return folder


async def forge(folder: Path) -> None:
    recorder = await Recorder.open(folder, TickClock(), checkpoint_interval=3600)
    who = Who(id=f"agent{EVIL}", issuer=EVIL, on_behalf_of=EVIL)
    bundle = f"sha256:{BundleStore(folder).keep(ARCHIVE.read_bytes())}"
    words: dict[str, object] = {"why": EVIL, "reason": EVIL, "revision": EVIL, "code": EVIL, "detail": EVIL, EVIL: EVIL}
    await recorder.append(Event(type=EventType.BUNDLE_ACTIVATED, who=who, bundle=bundle, data=words))
    await recorder.append(Event(type=EventType.SESSION_OPENED, sid="s", who=who, res=EVIL, data=words))
    answer = msgspec.json.encode({"outcome": "deny", "reasons": [{"code": f"code{EVIL}", "args": {EVIL: EVIL}}]})
    refused: dict[str, object] = {"refused": {"code": f"code{EVIL}", "message": EVIL}}
    for did, document in (
        (f"d{EVIL}", input_document(json.dumps(EVIL)[1:-1])),
        (DID, document_of(ARCHIVE.read_bytes())),
    ):
        await recorder.append(
            Event(
                type=EventType.STATEMENT_DECIDED, sid="s", did=did, who=who, res=EVIL, act=EVIL, outcome="deny",
                ok=False,
                bundle=bundle, engine=EVIL, catalog=EVIL, plan=EVIL,
                data=refused,
                bodies={"in": document, "out": answer},
            )
        )  # fmt: skip
        await recorder.append(
            Event(type=EventType.STATEMENT_FINISHED, sid="s", did=did, res=EVIL, act=EVIL, outcome=EVIL, data=words)
        )
    await recorder.append(Event(type=EventType.SESSION_CLOSED, sid="s", who=who, res=EVIL, data=words))
    await recorder.close()


COMMANDS = [
    ["search"],
    ["search", "--json"],
    ["search", "--no-index"],
    *(["search", "--facet", name] for name in ("agent", "person", "rule", "action", "connection", "ended")),
    ["search", "--after", EVIL],
    ["search", "--text", EVIL],
    ["explain", DID],
    ["explain", f"d{EVIL}"],
    ["explain", DID, "--json"],
    ["explain", "--at", "2100-01-01"],
    ["explain", EVIL],
    ["replay-decisions", "--processes", "1"],
    ["replay-decisions", "--processes", "1", "--json"],
    ["index", "--check"],
    ["prove", EVIL],
    ["verify"],
    ["verify", "--json"],
    ["digest"],
    ["digest", "--json"],
    ["prune"],
]


@pytest.mark.parametrize(
    "arguments", COMMANDS, ids=lambda arguments: " ".join(arguments).encode("unicode_escape").decode()
)
def test_nothing_that_is_printed_moves_a_cursor(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code = cli.main(["audit", *arguments, "--data", str(folder)])
    said = capsys.readouterr()
    assert code in {cli.DONE, cli.SAYS_NO, cli.USAGE}
    assert said.out + said.err
    assert [c for c in said.out + said.err if not (c.isprintable() or c == "\n")] == []
