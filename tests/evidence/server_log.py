"""Lines of a PostgreSQL log as the server would write them, in its three formats, and leaves as sessions make them."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.core.events import Event, EventType
from gateway.evidence.leaf import Draft, make_leaf
from gateway.evidence.reconcile_ours import Ours, ours_of

PREFIX = "%m [%p] %q%u@%d %h %a "
START_NS = 1_764_064_800_000_000_000
"""2025-11-25 10:00:00Z"""
SID = "019ab9c0-0000-7000-8000-000000000001"
FIRST, SECOND = f"{START_NS // 1_000_000:012x}", "7000-8000"


def did(number: int) -> str:
    return f"{FIRST[:8]}-{FIRST[8:]}-{SECOND}-{number:012x}"


def sid(number: int) -> str:
    return f"{FIRST[:8]}-{FIRST[8:]}-7001-8000-{number:012x}"


def stamp(seconds: float) -> str:
    whole, part = divmod(round(seconds * 1000), 1000)
    return f"2025-11-25 10:{whole // 60:02d}:{whole % 60:02d}.{part:03d} UTC"


@dataclass(frozen=True)
class Said:
    """One report of the server."""

    message: str
    seconds: float = 1.0
    user: str = "app"
    database: str = "payments"
    application: str = ""
    address: str = "10.0.0.7"
    pid: int = 77
    statement: str = ""
    number: int = 0

    @property
    def severity(self) -> str:
        return "ERROR" if self.statement else "LOG"

    @property
    def session(self) -> str:
        return f"692{self.pid:x}.{self.pid:x}"

    def as_json(self) -> bytes:
        said = {
            "timestamp": stamp(self.seconds), "user": self.user, "dbname": self.database, "pid": self.pid,
            "remote_host": self.address, "session_id": self.session, "line_num": self.number or 1,
            "error_severity": self.severity, "message": self.message, "statement": self.statement,
            "application_name": self.application, "backend_type": "client backend",
        }  # fmt: skip
        if not self.number:
            del said["line_num"]
        return json.dumps({name: value for name, value in said.items() if value != ""}).encode() + b"\n"

    def as_csv(self) -> bytes:
        out = io.StringIO()
        cells = [
            stamp(self.seconds), self.user, self.database, self.pid, f"{self.address}:5000", self.session,
            self.number or "", "SELECT", stamp(0), "3/4", 0, self.severity, "00000", self.message, "", "", "", "", "",
            self.statement, "", "", self.application, "client backend", "", 0,
        ]  # fmt: skip
        csv.writer(out, lineterminator="\n").writerow(cells)
        return out.getvalue().encode()

    def as_stderr(self) -> bytes:
        """With PREFIX, a tab before each further line."""
        before = f"{stamp(self.seconds)} [{self.pid}] {self.user}@{self.database} {self.address} {self.application} "
        tabbed = self.message.replace("\n", "\n\t")
        lines = f"{before}{self.severity}:  {tabbed}\n"
        if self.statement:
            lines += f"{before}STATEMENT:  " + self.statement.replace("\n", "\n\t") + "\n"
        return lines.encode()


@dataclass
class Log:
    """Our log, a leaf after the other."""

    leaves: list[bytes] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, event: Event) -> None:
        self.seconds += 0.01
        draft = Draft(len(self.leaves) + 1, START_NS + round(self.seconds * 1e9), bytes(16), {})
        self.leaves.append(make_leaf(event, draft).leaf)

    def opened(self, session: str) -> None:
        self.add(Event(type=EventType.SESSION_OPENED, sid=session, res="payments"))

    def closed(self, session: str) -> None:
        self.add(Event(type=EventType.SESSION_CLOSED, sid=session, res="payments"))

    def decided(  # noqa: PLR0913 -- what a leaf has
        self,
        session: str,
        decision: str,
        plan: str,
        *,
        phase: str = "query",
        mark: str = "",
        ok: bool = True,
        act: str = "select",
    ) -> None:
        data: dict[str, object] = {"phase": phase, **({"mark": mark} if mark else {})}
        self.add(
            Event(type=EventType.STATEMENT_DECIDED, sid=session, did=decision, res="payments", act=act, ok=ok,
                  plan=f"sha256:{plan}" if ok else "", outcome="allow" if ok else "deny", data=data)
        )  # fmt: skip

    def finished(self, session: str, decision: str, how: str = "done") -> None:
        self.add(
            Event(
                type=EventType.STATEMENT_FINISHED,
                sid=session,
                did=decision,
                res="payments",
                outcome=how,
                ok=how == "done",
            )
        )

    def ours(self) -> Ours:
        return ours_of(self.leaves, "payments", lambda _: None)


def chunked(data: bytes, sizes: Sequence[int]) -> Iterator[bytes]:
    """The data in pieces of these sizes, then the rest."""
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]
