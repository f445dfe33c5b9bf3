"""Rules, spoiled one line at a time: each line of a body dropped or negated, each rule left out.

Works on text as `opa fmt` writes it: a rule begins in the first column and its body is indented by tabs. What does not
compile any more is no mutant, and whoever runs it says so.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

_HEAD: Final = re.compile(r"^[A-Za-z_]")
_NOT_A_RULE: Final = ("package ", "import ", "default ")
_QUOTED: Final = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`')
_DECLARES: Final = re.compile(r"^(some|every)\b|:=")


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """A module with one thing otherwise."""

    file: str
    line: int
    what: str
    """dropped, negated, or left out (a whole rule)"""
    text: str
    """the line as it was"""
    source: str
    """the whole module as it would be"""

    @property
    def name(self) -> str:
        """How people and lists of exceptions call it; without the line's number, which moves."""
        return f"{self.file}: {self.what}: {self.text}"


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a module."""
    lines = source.splitlines()
    for start, end in _rules(lines):
        yield _made(file, lines, (start, end), "left out", [])
        head = lines[start]
        if head.endswith(" if {"):
            yield from _body(file, lines, start + 1, end - 1)
        elif " if " in head and end == start + 1:
            before, _, condition = head.rpartition(" if ")
            yield _made(file, lines, (start, end), "dropped", [f"{before} if true"])
            if not _DECLARES.search(condition):
                yield _made(file, lines, (start, end), "negated", [f"{before} if {_negated(condition)}"])
        else:
            yield from _composed(file, lines, start, end)


def _composed(file: str, lines: Sequence[str], start: int, end: int) -> Iterator[Mutant]:
    """A value over several lines that ends in `} if {`."""
    for number in range(start + 1, end):
        if lines[number].endswith("} if {") and not lines[number].startswith("\t"):
            yield from _body(file, lines, number + 1, end - 1)


def _body(file: str, lines: Sequence[str], start: int, end: int) -> Iterator[Mutant]:
    """The statements between two braces, and those inside an `every`."""
    for first, behind in _statements(lines, start, end):
        yield _made(file, lines, (first, behind), "dropped", [])
        text = lines[first].lstrip("\t")
        indent = lines[first][: len(lines[first]) - len(text)]
        if text.startswith("every ") and behind > first + 1:
            yield from _body(file, lines, first + 1, behind - 1)
        elif not _DECLARES.search(_QUOTED.sub("", text)):
            yield _made(file, lines, (first, behind), "negated", [indent + _negated(text), *lines[first + 1 : behind]])


def _statements(lines: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    """(first line, line behind the last) of each, brackets balanced."""
    at = start
    while at < end:
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        behind, depth = at, 0
        while behind < end:
            depth += _depth(lines[behind])
            behind += 1
            if depth == 0:
                break
        yield at, behind
        at = behind


def _rules(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(lines):
        if not _HEAD.match(lines[at]) or lines[at].startswith(_NOT_A_RULE):
            at += 1
            continue
        start, depth = at, 0
        while at < len(lines):
            depth += _depth(lines[at])
            at += 1
            if depth == 0:
                break
        yield start, at


def _depth(line: str) -> int:
    """By how many brackets a line opens more than it closes."""
    plain = _QUOTED.sub("", line)
    return sum(plain.count(c) for c in "([{") - sum(plain.count(c) for c in ")]}")


def _negated(text: str) -> str:
    return text.removeprefix("not ") if text.startswith("not ") else f"not {text}"


def _made(file: str, lines: Sequence[str], span: tuple[int, int], what: str, instead: Sequence[str]) -> Mutant:
    start, end = span
    source = "\n".join([*lines[:start], *instead, *lines[end:]]) + "\n"
    return Mutant(file=file, line=start + 1, what=what, text=lines[start].strip(), source=source)
