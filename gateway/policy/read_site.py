"""From the YAML files of a site folder to `Site`: every mistake at once, each with its file and line."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import get_args

import msgspec
import yaml

from gateway.core.errors import ConfigError
from gateway.policy.site import (
    WEEK,
    ApplicationIdentity,
    Approval,
    Block,
    BreakGlass,
    Clear,
    Demand,
    Filter,
    Grant,
    Hours,
    InteractiveException,
    Limit,
    Method,
    Required,
    ScanExempt,
    Site,
    contradictions,
)

FILES = ("classification.yaml", "access.yaml")
MAX_BYTES = 4 << 20
_PLAIN = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DAY = 24 * 60
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_OFFSET = re.compile(r"([+-])(0\d|1[0-4]):([0-5]\d)", re.ASCII)
_LISTS: Mapping[str, type[msgspec.Struct]] = {
    "grants": Grant,
    "clear": Clear,
    "approvals": Approval,
    "deny": Block,
    "required": Required,
    "hours": Hours,
    "application_identities": ApplicationIdentity,
    "interactive_exceptions": InteractiveException,
    "break_glass": BreakGlass,
    "filters": Filter,
    "limits": Limit,
    "scan_exempt": ScanExempt,
}
"""sections that are lists, and what stands in them"""


class _Loader(yaml.SafeLoader):
    """YAML without aliases: they can make a small file enormous, and nobody needs them here."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # types-pyyaml leaves it out
            raise yaml.constructor.ConstructorError(None, None, "aliases are not used in site data", mark)
        return super().compose_node(parent, index)


class _File:
    """One YAML file: its value, the line of each path in it, and what was found wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[str, int] = {"": 1}
        self.problems: list[str] = []
        self.value = self._read()

    def complain(self, where: str, text: str) -> None:
        """Note a mistake at a path of the file, or at the nearest path above it that is written there."""
        while where not in self.lines:
            where = re.sub(r"(\.[^.\[]*|\[\d+\])$", "", where) if re.search(r"[.\[]", where) else ""
        self.problems.append(f"{self.path}:{self.lines[where]}: {text}")

    def _read(self) -> dict[str, object]:
        raw = self.path.read_bytes()
        if len(raw) > MAX_BYTES:
            self.complain("", f"the file is larger than {MAX_BYTES} bytes")
            return {}
        try:
            loader = _Loader(raw)
            node = loader.get_single_node()
            value = self._value(loader, node, "") if node else {}
            loader.dispose()
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            self.problems.append(f"{self.path}:{line}: {getattr(error, 'problem', None) or 'this is not YAML'}")
            return {}
        if not isinstance(value, dict):
            self.complain("", "the file must be a mapping")
            return {}
        return value

    def _value(self, loader: _Loader, node: yaml.Node, where: str) -> object:
        self.lines[where] = node.start_mark.line + 1
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN:
            self.complain(where, f"the tag {node.tag} is not used in site data")
        match node:
            case yaml.MappingNode():
                return self._mapping(loader, node, where)
            case yaml.SequenceNode():
                return [self._value(loader, item, f"{where}[{number}]") for number, item in enumerate(node.value)]
            case yaml.ScalarNode(tag="tag:yaml.org,2002:int", value=text) if ":" in text:
                return text  # YAML 1.1 takes 18:00 for a number to the base of 60
            case _:
                scalar: object = loader.construct_object(node)
                return scalar

    def _mapping(self, loader: _Loader, node: yaml.MappingNode, where: str) -> dict[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            path = f"{where}.{key}" if where else key
            self.lines[path] = key_node.start_mark.line + 1
            if not key or key in found:
                self.complain(path, f"{key} is given twice" if key else "a key must be a word")
            found[key] = self._value(loader, value_node, path)
            self.lines[path] = key_node.start_mark.line + 1
        return found


def read_site(folder: Path) -> Site:
    """The site data of a folder. Raises ConfigError with every mistake, `file:line: sentence`, one a line."""
    if not folder.is_dir():
        raise ConfigError("config.invalid", f"{folder}:1: there is no such folder")
    files = {name: _File(folder / name) for name in FILES if (folder / name).is_file()}
    problems = [
        f"{path}:1: site data stands in {' and '.join(FILES)}; this file would not be read"
        for path in sorted(folder.iterdir())
        if path.name not in FILES and path.suffix in {".yaml", ".yml", ".json"}
    ]
    if "access.yaml" not in files:
        problems.append(f"{folder / 'access.yaml'}:1: the file is missing, so nothing would be granted")
    parts: dict[str, object] = {}
    for name, file in files.items():
        nested = name != "access.yaml"
        parts |= _checked(file, {"classification": file.value} if nested else file.value, nested=nested)
    problems = [*problems, *(problem for file in files.values() for problem in file.problems)]
    if not problems:
        site = msgspec.convert(parts, Site)
        problems = [_located(files, where, text) for where, text in contradictions(site)]
    if problems:
        raise ConfigError("config.invalid", "\n".join(problems))
    return site


def _located(files: Mapping[str, _File], where: str, text: str) -> str:
    file = files["access.yaml"]
    count = len(file.problems)
    file.complain(where, text)
    return file.problems.pop(count)


def _checked(file: _File, value: dict[str, object], *, nested: bool) -> dict[str, object]:
    """The sections that are right; what is wrong is noted in the file. Each entry is checked by itself."""
    good: dict[str, object] = {}
    for key, section in value.items():
        if key not in Site.__struct_fields__ or (key == "classification" and not nested):
            file.complain(key, f"there is no section {key}{_meant(key, Site.__struct_fields__)}")
            continue
        prefix = "" if nested else key
        if key in _LISTS and isinstance(section, list):
            entries = [_normalised(file, key, f"{key}[{number}]", entry) for number, entry in enumerate(section)]
            fine = [e for number, e in enumerate(entries) if _fits(file, key, [e], f"{key}[{number}]", "[0]")]
            good[key] = fine
        elif _fits(file, key, section, prefix, ""):
            good[key] = section
    return good


def _fits(file: _File, key: str, section: object, prefix: str, inner: str) -> bool:
    try:
        msgspec.convert({key: section}, Site)
    except msgspec.ValidationError as error:
        sentence, _, path = str(error).partition(" - at `$.")
        below = path.rstrip("`").removeprefix(key).removeprefix(inner).replace("[...]", "")
        below = below.removeprefix(".") if not prefix else below
        file.complain(f"{prefix}{below}".replace(".demand", ".approvers"), f"{sentence}{_hint(key, below, sentence)}")
        return False
    return True


def _normalised(file: _File, key: str, where: str, entry: object) -> object:
    """Durations as seconds; an approval's demand gathered in one place."""
    if not isinstance(entry, dict):
        return entry
    found = {name: _value_of(file, f"{where}.{name}", name, value) for name, value in entry.items()}
    if key == "approvals":
        approvers = found.pop("approvers", {})
        own = {name: found.pop(name) for name in ("ttl", "min") if name in found}
        found["demand"] = {**approvers, **own} if isinstance(approvers, dict) else approvers
    return found


def _value_of(file: _File, where: str, name: str, value: object) -> object:
    """What people write as rules want it: seconds, minutes of a day, minutes from UTC, a moment in UTC."""
    match name, value:
        case (("ttl" | "window"), str()):
            found = _DURATION.fullmatch(value)
            said = int(found[1]) * _SECONDS[found[2]] if found else None
            return _or_complain(file, where, said, 1, f"{name} is a duration like 30s, 5m, 8h or 7d")
        case (("from" | "to"), str()):
            found = _CLOCK.fullmatch(value)
            minute = int(found[1]) * 60 + int(found[2]) if found else _DAY + 1
            said = minute if minute <= _DAY else None
            return _or_complain(file, where, said, 1, f'{name} is a time like "08:00" or "24:00"')
        case "utc_offset", str():
            found = _OFFSET.fullmatch(value)
            said = int(f"{found[1]}1") * (int(found[2]) * 60 + int(found[3])) if found else None
            return _or_complain(file, where, said, 0, 'utc_offset is like "+01:00" or "-05:30"')
        case "until", dt.datetime() if value.tzinfo is not None:
            return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:00Z")
        case "until", _:
            return _or_complain(file, where, None, "1970-01-01T00:00:00Z", "until is like 2026-12-01T18:00:00Z")
    return value


def _or_complain(file: _File, where: str, said: int | None, instead: int | str, text: str) -> int | str:
    if said is not None:
        return said
    file.complain(where, text)
    return instead


def _hint(key: str, below: str, sentence: str) -> str:
    """What a key or a word that nobody knows was perhaps meant to be."""
    if found := re.search(r"unknown field `(.*)`", sentence):
        kind = Demand if below == ".demand" else _LISTS.get(key)
        return _meant(found[1], [field.encode_name for field in msgspec.structs.fields(kind)]) if kind else ""
    found = re.fullmatch(r"Invalid enum value '(.*)'", sentence)
    return _meant(found[1], [*get_args(Method), *WEEK]) if found else ""


def _meant(word: str, known: Iterable[str]) -> str:
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""
