"""One step of the tour: what was sent, what came back, and what that proves."""

import msgspec
from rich.console import Console
from rich.text import Text


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A step that was played."""

    title: str
    sent: str
    """the statement or the command line"""
    who: str = ""
    """the agent that sent it; empty for the person at the terminal"""
    came: str
    """what came back, as a person would have seen it"""
    claim: str
    """what it proves, when it does"""
    holds: bool


def show(console: Console, number: int, scene: Scene) -> None:
    """Print a scene. Everything from outside is printed as text: it is never markup."""
    console.print()
    console.print(Text(f"{number}. {scene.title}", style="bold"))
    prompt = f"{scene.who}> " if scene.who else "$ "
    console.print(Text(indented(prompt + scene.sent), style="cyan"))
    console.print(Text(indented(scene.came)))
    verdict = Text(f"   proved: {scene.claim}", style="green") if scene.holds else None
    console.print(verdict or Text(f"   NOT PROVED: {scene.claim}", style="bold red"))


def indented(text: str) -> str:
    """Each line moved to the right; control characters shown, not obeyed."""
    lines = text.rstrip("\n").split("\n")
    return "\n".join("   " + "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
                     for line in lines)  # fmt: skip


def table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    """Rows in columns, as psql shows them; NULL is written `∅`."""
    cells = [names, *[["∅" if value is None else str(value) for value in row] for row in rows]]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return "\n".join([lines[0], "-+-".join("-" * width for width in widths), *lines[1:]])
