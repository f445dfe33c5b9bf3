r"""What a page of the documentation tells its reader to do: files to write, commands to type, programs to run.

A fenced block `console` holds commands (`$ `, continued by a `\` at the end) and parts of what they print. `# exits 1`
behind a command says that it fails. A block of another language behind a line that ends in a path and a colon is that
file. A block below a line `*Not run by CI: reason*` is not done; every other one is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FENCE = "```"
NOT_RUN = re.compile(r"^\*Not run by CI: .{10,}\*$")
FILE = re.compile(r"`([^`\s]+\.[a-z]+)`[^`]*:$")
EXITS = re.compile(r"\s+# exits (\d+)$")
PROGRAMS = frozenset({"python", "javascript", "java", "go"})


@dataclass(slots=True)
class Command:
    """Something to type, and what must be seen then."""

    text: str
    output: list[str] = field(default_factory=list)
    code: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """Something to write."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program in some language."""

    language: str
    text: str


Step = Command | File | Program


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block, and the last line before it."""

    language: str
    lines: list[str]
    before: str


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    before = ""
    lines = iter(text.splitlines())
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        if line.lstrip().startswith(FENCE):
            inside: list[str] = []
            for inner in lines:
                if inner.lstrip().startswith(FENCE):
                    break
                inside.append(inner.removeprefix(indent))
            yield Block(line.strip().removeprefix(FENCE), inside, before)
        if line.strip():
            before = line.strip()


def steps(page: Path) -> Iterator[Step]:
    """What a reader does who follows the page."""
    for block in blocks(page.read_text(encoding="utf-8")):
        named = FILE.search(block.before)
        if NOT_RUN.match(block.before):
            continue
        if block.language == "console":
            yield from commands(block.lines)
        elif named:
            yield File(named[1], "\n".join(block.lines) + "\n")
        elif block.language in PROGRAMS:
            yield Program(block.language, "\n".join(block.lines) + "\n")


def commands(lines: list[str]) -> Iterator[Command]:
    """The commands of a block, each with the lines below it."""
    found: list[Command] = []
    rest = iter(lines)
    for line in rest:
        if not line.startswith("$ "):
            if found and line.strip():
                found[-1].output.append(line)
            continue
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text = text.removesuffix("\\") + next(rest).strip()
        exits = EXITS.search(text)
        found.append(Command(EXITS.sub("", text), code=int(exits[1]) if exits else 0))
    yield from found


def seen(expected: str, output: str) -> bool:
    """True when a line of the page is a part of what was printed; `…` stands for anything, spaces do not count."""
    pattern = r".*".join(re.escape(" ".join(part.split())) for part in expected.split("…"))
    return any(re.search(pattern, " ".join(line.split())) for line in output.splitlines())
