"""`policy try` on ten statements: what would be decided, and by which rule, before any of them is sent."""

import msgspec

from gateway.cli.demo.commands import CONFIG
from gateway.cli.demo.scene import Scene, table
from gateway.cli.demo.stage import CONNECTION, Stage
from gateway.cli.demo.tour import FRAUD, INTERN, SUPPORT

ALLOW, MASK, DENY = "allow", "mask", "deny"
SHOWN = 46
"""characters of a statement in the table"""


class Trial(msgspec.Struct, frozen=True):
    """A statement, and what the demo's policy must say of it."""

    who: str
    sql: str
    outcome: str
    code: str
    reason: str = ""


class Said(msgspec.Struct, frozen=True):
    """What `policy try` said: the outcome, and the rule that made it."""

    outcome: str
    code: str
    place: str = ""


TRIALS = (
    Trial(SUPPORT, "SELECT sum(total) FROM orders", ALLOW, "access.granted"),
    Trial(SUPPORT, "SELECT brand, pan FROM cards", MASK, "pci.cardholder.masked"),
    Trial(SUPPORT, "COPY cards TO STDOUT", MASK, "pci.cardholder.sensitive"),
    Trial(FRAUD, "SELECT pan FROM cards", MASK, "pci.cardholder.masked"),
    Trial(FRAUD, "SELECT pan FROM cards", ALLOW, "pci.cardholder.cleared", reason="chargeback 881"),
    Trial(SUPPORT, "DELETE FROM orders", DENY, "access.not_granted"),
    Trial(SUPPORT, "TRUNCATE cards", DENY, "access.blocked"),
    Trial(SUPPORT, "SELECT pg_read_file('/etc/passwd')", DENY, "access.function"),
    Trial(SUPPORT, "DO $$ BEGIN EXECUTE 'DROP TABLE cards'; END $$", DENY, "statement.carries_code"),
    Trial(INTERN, "SELECT name FROM customers", DENY, "access.no_grant"),
)


def tried(stage: Stage) -> Scene:
    """Ten statements, none of which is executed."""
    answers = [understood(code, said) for code, said in stage.commands([line(trial) for trial in TRIALS])]
    rows = [
        (trial.who, shortened(trial), said.outcome, f"{said.code} {said.place}".rstrip())
        for trial, said in zip(TRIALS, answers, strict=True)
    ]
    return Scene(
        title="The security engineer asks what would be decided about ten statements",
        sent=f"querywarden policy try -c gateway.yaml --as tokens/AGENT --connection {CONNECTION} STATEMENT",
        came=table(["agent", "statement", "outcome", "deciding rule"], [tuple(row) for row in rows]),
        claim="a policy can be tried without executing anything: outcome, rule, file and line of each statement",
        holds=all(fits(trial, said) for trial, said in zip(TRIALS, answers, strict=True)),
    )  # fmt: skip


def line(trial: Trial) -> list[str]:
    """What a person types for one."""
    reason = ["--reason", trial.reason] if trial.reason else []
    who = ["--as", f"tokens/{trial.who}", "--connection", CONNECTION]
    return ["policy", "try", *CONFIG, "--json", *who, *reason, trial.sql]


def understood(code: int, said: str) -> Said:
    """What the command said of a statement; what it printed instead, when that is no answer."""
    try:
        return judged(msgspec.json.decode(said.encode(), type=list[_Ruling]), code)
    except (msgspec.DecodeError, IndexError):
        return Said("no answer", said.strip()[-200:])


class _Finding(msgspec.Struct):
    code: str
    file: str = ""
    line: int = 0


class _Ruling(msgspec.Struct):
    outcome: str
    findings: list[_Finding]
    refusal: _Finding | None = None


def judged(rulings: list[_Ruling], code: int) -> Said:
    """Of one ruling: the gateway's own refusal, else the strictest rule that contributed."""
    (ruling,) = rulings
    if (ruling.outcome == DENY) != (code == 1):
        return Said("no answer", f"{ruling.outcome}, but exit code {code}")
    finding = ruling.refusal or ruling.findings[0]
    return Said(ruling.outcome, finding.code, f"{finding.file}:{finding.line}" if finding.file else "")


def fits(trial: Trial, said: Said) -> bool:
    """True when outcome and rule are the expected ones, and the rule is found in a file."""
    return (said.outcome, said.code) == (trial.outcome, trial.code) and bool(said.place)


def shortened(trial: Trial) -> str:
    """The statement, cut where the table would get too wide; with its reason, where it gives one."""
    text = f"{trial.sql}  (reason: {trial.reason})" if trial.reason else trial.sql
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
