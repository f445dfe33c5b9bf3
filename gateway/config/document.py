"""YAML as a tree of plain values in which every value and key still knows its line.

YAML 1.2's core schema, so that `no`, `22:30` and `2024-01-01` are text. Anchors, aliases and merge keys (`<<`) are
read; a key said twice, a tag, and a document that grows without end through aliases are refused.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import yaml

MAX_BYTES: Final = 1024 * 1024
MAX_VALUES: Final = 100_000
MAX_DEPTH: Final = 50

Place: TypeAlias = tuple[str | int, ...]
"""where a value stands: keys and positions from the top"""

_MERGE: Final = "<<"
_TAG: Final = "tag:yaml.org,2002:"
_NOT_TEXT: Final = "a NUL or half a character stands here"


class Problem(NamedTuple):
    """Something wrong in a file. `line` counts from 1."""

    line: int
    text: str


class Document:
    """A parsed file: its value, the line of each place in it, and what is wrong with its YAML."""

    def __init__(self, text: str) -> None:
        self.problems: list[Problem] = []
        self.value: object = None
        self._lines: dict[Place, int] = {}
        self._key_lines: dict[Place, int] = {}
        self._count = 0
        self._endless = False
        try:
            loader = _CoreLoader(text)
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.problems.append(Problem(mark.line + 1 if mark else 1, f"not YAML: {error.problem or error.context}"))
        except (yaml.YAMLError, RecursionError):
            self.problems.append(Problem(1, "not YAML: it holds characters or depths that cannot be read"))
        else:
            self.problems += [Problem(line, "tags (!name) are not read here") for line in loader.tagged]
            self.value = self._read(root, (), frozenset()) if root is not None else None

    def line(self, place: Place) -> int:
        """The line of the value at `place`, or of the nearest one around it."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def key_line(self, place: Place) -> int:
        """The line of the key whose value stands at `place`."""
        return self._key_lines.get(place, self.line(place))

    def _read(self, node: yaml.Node, place: Place, around: frozenset[int]) -> object:
        line = node.start_mark.line + 1
        self._lines.setdefault(place, line)
        if self._ends_here(node, place, around):
            return None
        around |= {id(node)}
        match node:
            case yaml.MappingNode():
                return self._mapping(node, place, around)
            case yaml.SequenceNode():
                return [self._read(item, (*place, index), around) for index, item in enumerate(node.value)]
        return self._scalar(node, line)

    def _ends_here(self, node: yaml.Node, place: Place, around: frozenset[int]) -> bool:
        """Whether to read no further: an alias leads back to what stands around it, or there is too much. Said once."""
        self._count += 1
        if id(node) not in around and self._count <= MAX_VALUES and len(place) <= MAX_DEPTH:
            return False
        if not self._endless:
            self._endless = True
            line = node.start_mark.line + 1
            self.problems.append(Problem(line, "the document is too deep or too large, or an alias makes it endless"))
        return True

    def _mapping(self, node: yaml.MappingNode, place: Place, around: frozenset[int]) -> dict[str, object]:
        result: dict[str, object] = {}
        merged: list[yaml.Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                self.problems.append(Problem(line, "a key is not text"))
            elif not _is_text(key):
                self.problems.append(Problem(line, _NOT_TEXT))
            elif key == _MERGE:
                merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            elif key in result:
                self.problems.append(
                    Problem(line, f"{shown(key)} is said twice; the first time in line {self.key_line((*place, key))}")
                )
            else:
                self._key_lines[*place, key] = line
                result[key] = self._read(value_node, (*place, key), around)
        for each in merged:
            if not isinstance(each, yaml.MappingNode):
                self.problems.append(Problem(each.start_mark.line + 1, "<< takes a mapping or a list of them"))
                continue
            if self._ends_here(each, (*place, _MERGE), around):
                break
            for key, value in self._mapping(each, (*place, _MERGE), around | {id(each)}).items():
                result.setdefault(key, value)
        return result

    def _scalar(self, node: yaml.Node, line: int) -> object:
        text = str(node.value)
        if not _is_text(text):
            self.problems.append(Problem(line, _NOT_TEXT))
            return None
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int":
                return int(text, 0) if text.lower().startswith(("0x", "0o")) else int(text)
            case "float":
                return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        return text


def _is_text(text: str) -> bool:
    """No NUL, which ends a name for the system, and no half of a surrogate pair, which no file can be named by."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def shown(key: str) -> str:
    """A key as it may stand in a message: short, on one line."""
    clean = "".join(character if character.isprintable() else "?" for character in key)
    return clean if len(clean) <= 40 else clean[:37] + "…"  # noqa: PLR2004 -- what fits a line


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2's core schema (§10.3.2), and without tags."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # not those of the parent

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.tagged: list[int] = []
        """lines of values and keys that had one"""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Take the tag away, and note it: what it says of a value could not be believed."""
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
        match event:
            case yaml.ScalarEvent(tag=str()):
                event.implicit = (event.style is None, event.style is not None)
            case yaml.CollectionStartEvent(tag=str()):
                event.implicit = True
            case _:
                return super().compose_node(parent, index)
        event.tag = None
        self.tagged.append(event.start_mark.line + 1)
        return super().compose_node(parent, index)


def _resolvers() -> Iterator[tuple[str, str, str]]:
    yield "null", r"^(?:~|null|Null|NULL|)$", "~nN\0"
    yield "bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"
    yield "int", r"^(?:[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30})$", "-+0123456789"
    yield (
        "float",
        r"^(?:[-+]?(?:\.[0-9]{1,30}|[0-9]{1,30}(?:\.[0-9]{0,30})?)(?:[eE][-+]?[0-9]{1,3})?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+.0123456789",
    )


for _name, _pattern, _first in _resolvers():
    _CoreLoader.add_implicit_resolver(
        _TAG + _name, re.compile(_pattern), ["" if one == "\0" else one for one in _first]
    )
