"""`gateway.yaml` in, settings out; or every finding at once, each with its line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import msgspec

from gateway.config import checks
from gateway.config import settings as s
from gateway.config.anchors import check_anchors
from gateway.config.checks import Remark
from gateway.config.conform import Misfit, misfits
from gateway.config.document import MAX_BYTES, Document, shown
from gateway.config.issuers import check_identity
from gateway.config.policies import check_policy
from gateway.config.quantities import Address, Duration, Location, Size, StoreUrl, expanded
from gateway.config.sink_checks import check_sinks
from gateway.config.witnesses import check_witnesses
from gateway.core.errors import ConfigError

T = TypeVar("T")
_CONNECTIONS: Final = "connections"


class Examination(NamedTuple):
    """What became of a file: settings when there is no finding. Findings and warnings read `file:line: text`."""

    settings: s.Settings | None
    findings: tuple[str, ...]
    warnings: tuple[str, ...]


def load(path: Path) -> s.Settings:
    """The settings in a file. Raises `ConfigError` whose `detail` has every finding, one a line."""
    result = examine(path)
    if result.settings is None:
        raise ConfigError("config.invalid", "\n".join(result.findings))
    return result.settings


def examine(path: Path) -> Examination:
    """Read and check a file. Connects to nothing, reveals no secret."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as error:
        return Examination(None, (f"{path}:1: {error.strerror}",), ())
    except UnicodeDecodeError:
        return Examination(None, (f"{path}:1: not UTF-8 text",), ())
    if len(data) > MAX_BYTES:
        return Examination(None, (f"{path}:1: larger than 1 MiB",), ())
    return _Reading(path, Document(text)).result()


class _Reading:
    """One document on its way to settings."""

    def __init__(self, path: Path, document: Document) -> None:
        self._path = path
        self._document = document
        self._hook = hook_for(path.absolute().parent)
        root = document.value
        self._root: dict[str, object] = {"data_dir": "var", **root} if isinstance(root, dict) else {}

    def result(self) -> Examination:
        """All that can be said of it."""
        value = self._root if isinstance(self._document.value, dict) else self._document.value
        broken = value is None and self._document.problems  # not YAML: its shape says nothing
        shape = [] if broken else list(misfits(value, s.Settings, (), self._hook))
        remarks = list(self._remarks({misfit.place[0] for misfit in shape if misfit.place}))
        findings = [
            *self._document.problems,
            *((self._line(misfit), _named(misfit.place, misfit.text)) for misfit in shape),
            *((self._document.line(each.place), _named(each.place, each.text)) for each in remarks if not each.warning),
        ]
        warnings = [
            (self._document.line(each.place), _named(each.place, each.text)) for each in remarks if each.warning
        ]
        settings = None
        if not findings:
            try:
                settings = msgspec.convert(self._root, s.Settings, dec_hook=self._hook)
            except msgspec.ValidationError:  # the walk has found nothing, so it has missed something: refuse
                findings.append((1, "cannot be read as settings"))
        return Examination(settings, self._lines(findings), self._lines(warnings))

    def _line(self, misfit: Misfit) -> int:
        return self._document.key_line(misfit.place) if misfit.at_key else self._document.line(misfit.place)

    def _lines(self, entries: list[tuple[int, str]]) -> tuple[str, ...]:
        return tuple(f"{self._path}:{line}: {text}" for line, text in sorted(set(entries)))

    def _remarks(self, unfit: set[str | int]) -> Iterator[Remark]:
        """Checks of each section whose shape is right, so that one wrong word does not hide the rest."""
        sections: list[tuple[str, Callable[[object], Iterator[Remark]]]] = [
            ("data_dir", lambda value: checks.check_data_dir(self._as(Path, value))),
            ("listeners", lambda value: checks.check_listeners(self._as(s.Listeners, value))),
            ("identity", lambda value: check_identity(self._as(s.Identity, value))),
            ("policy", lambda value: check_policy(self._as(s.Policy, value))),
            ("approvals", lambda value: checks.check_approvals(self._as(s.Approvals, value), _mapping(value))),
            ("evidence", lambda value: checks.check_evidence(self._as(s.Evidence, value), _mapping(value))),
            ("evidence", lambda value: check_witnesses(self._as(s.Evidence, value))),
            ("evidence", lambda value: check_anchors(self._as(s.Evidence, value))),
            ("evidence", lambda value: check_sinks(self._as(s.Evidence, value).sinks)),
            ("stores", lambda value: checks.check_stores(self._as(s.Stores, value))),
        ]
        for name, check in sections:
            if name in self._root and name not in unfit:
                yield from check(self._root[name])
        for name, value in _mapping(self._root.get(_CONNECTIONS)).items():
            if not list(misfits(value, s.Connection, (_CONNECTIONS, name), self._hook)):
                yield from checks.check_connection(self._as(s.Connection, value), name)

    def _as(self, kind: type[T], value: object) -> T:
        return msgspec.convert(value, kind, dec_hook=self._hook)


def hook_for(folder: Path) -> Callable[[type, object], object]:
    """Converts our own types; relative paths are taken from `folder`."""
    parsers: dict[type, Callable[[str], object]] = {
        Path: lambda text: folder / expanded(text),
        StoreUrl: lambda text: StoreUrl.parse(text, folder),
        Location: lambda text: Location.parse(text, folder),
        Duration: Duration.parse,
        Address: Address.parse,
        Size: Size.parse,
    }

    def hook(kind: type, value: object) -> object:
        if kind is Size and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value or "\0" in value:
            raise ValueError("expected text")
        return parsers[kind](value)

    return hook


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _named(place: tuple[str | int, ...], text: str) -> str:
    """A message with the setting's name before it."""
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in place).removeprefix(".")
    return f"{name}: {text}" if name else text
