"""The lines to go on by hand: what to paste into a shell while the demo runs, and after it has ended."""

import shlex
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from gateway.cli.demo import place, shell
from gateway.cli.demo.stage import CONNECTION, Stage

SQL = "SELECT brand, pan, cvv FROM cards"


def by_hand(console: Console, stage: Stage, psql: shell.Psql | None, plaintext_port: int | None) -> None:
    """While it runs: who the agents are, how to be one, and what the engineer and the auditor type."""
    console.print("\nThree agents, each with a token:")
    for agent in stage.agents:
        groups = ", ".join(place.AGENTS[agent]) or "no group"
        say(console, f"{stage.token_file(agent)}  ({groups})")
    console.print("\nBe one of them:")
    say(console, shell.line(psql, stage, stage.agents[0], plaintext_port))
    console.print("\nAsk what would be decided, and why; nothing is executed:")
    token = shlex.quote(str(stage.token_file(stage.agents[0])))
    say(console, f'{own()} policy try {config(stage)} --as {token} --connection {CONNECTION} "{SQL}"')
    console.print("\nBe the auditor:")
    for line in audit_lines(stage):
        say(console, line)
    console.print("\nRunning. Ctrl-C stops everything; the folder stays.")


def afterwards(console: Console, stage: Stage) -> None:
    """After the tour: the database is gone, the log can still be read."""
    console.print("\nEverything has been stopped. The log stays, and these read it:")
    for line in audit_lines(stage):
        say(console, line)
    console.print("\nTo go on by hand, with one that keeps running:")
    say(console, f"{own()} demo")


def audit_lines(stage: Stage) -> list[str]:
    """What an auditor types. DECISION stands in every message an agent gets, and in what `search` prints."""
    commands = ("audit search", "audit explain DECISION", "audit verify")
    return [f"{own()} {command} {config(stage)}" for command in commands]


def config(stage: Stage) -> str:
    """The option that names the demo's configuration."""
    return f"-c {shlex.quote(str(stage.config))}"


def own() -> str:
    """Our own command as whoever started it can type it again."""
    started = Path(sys.argv[0])
    if started.name != "querywarden":
        return f"{shlex.quote(sys.executable)} -m gateway"
    on_path = shutil.which("querywarden")
    if on_path and Path(on_path).resolve() == started.resolve():
        return "querywarden"
    absolute, here = started.absolute(), Path.cwd()
    return shlex.quote(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def say(console: Console, line: str) -> None:
    """One line, indented; text, never markup."""
    console.print(Text(f"  {line}", style="cyan"))
