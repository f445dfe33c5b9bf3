"""Requirements that rules name: a catalogue of ids with short titles of our own, and what is wrong with an id."""

import difflib
from collections.abc import Iterable, Iterator
from importlib.resources import files as resources
from pathlib import Path
from typing import Literal

import msgspec
import yaml

from gateway.core.errors import ConfigError

_CHECKOUT = Path(__file__).resolve().parents[2]


class Requirement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One requirement."""

    id: str
    title: str
    shown: Literal["evidenced", "partly", "customer"]
    """what a gateway can show of it by itself"""
    owes: str = ""
    """what is left to whoever runs it"""


class Standard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `policies/compliance/`."""

    standard: str
    version: str
    prefix: str
    """in front of the ids, as in `PCI-DSS-4.0.1/3.4.1`"""
    requirements: tuple[Requirement, ...]
    retired: dict[str, tuple[str, ...]] = {}
    """ids of the version before → what they became"""

    def full(self, requirement: str) -> str:
        """An id as rules write it."""
        return f"{self.prefix}/{requirement}"


class Catalogue:
    """All standards that are known."""

    def __init__(self, standards: Iterable[Standard]) -> None:
        self.standards = tuple(standards)
        self._known = {s.full(each.id) for s in self.standards for each in s.requirements}

    def wrong(self, control: str) -> str | None:
        """What is wrong with a control, with a suggestion; None for a requirement that is known."""
        if control in self._known:
            return None
        prefix, _, number = control.partition("/")
        standard = next((s for s in self.standards if _family(s.prefix) == _family(prefix)), None)
        if standard is None:
            return f"{control}: no catalogue knows {prefix}{_did_you_mean(control, self._known)}"
        if number in standard.retired:
            now = " or ".join(map(standard.full, standard.retired[number]))
            return f"{control}: {number} is of a version before {standard.version}; write {now}"
        if standard.full(number) in self._known:
            return f"{control}: the catalogue is of {standard.version}; write {standard.full(number)}"
        named = f"{standard.standard} {standard.version}"
        return f"{control}: {named} has no {number} here{_did_you_mean(control, self._known)}"


def _family(prefix: str) -> str:
    """A standard without its version."""
    return prefix.rstrip("0123456789.-")


def _did_you_mean(control: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(control, sorted(known), n=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def shipped_catalogue() -> Path:
    """The folder of catalogues: inside an installed package, else in the checkout."""
    packaged = Path(str(resources("gateway.policy"))) / "compliance"
    return packaged if packaged.is_dir() else _CHECKOUT / "policies" / "compliance"


def read_catalogue(folder: Path) -> Catalogue:
    """Every YAML file of a folder. Raises ConfigError when one cannot be used, or there is none."""
    found = list(_standards(folder))
    if not found:
        raise ConfigError("config.invalid", f"{folder}:1: no catalogue of requirements (*.yaml) here")
    return Catalogue(found)


def _standards(folder: Path) -> Iterator[Standard]:
    for path in sorted(folder.glob("*.yaml")):
        try:
            yield msgspec.convert(yaml.safe_load(path.read_bytes()), Standard)
        except (yaml.YAMLError, msgspec.ValidationError) as error:
            mark = getattr(error, "problem_mark", None)
            raise ConfigError("config.invalid", f"{path}:{mark.line + 1 if mark else 1}: {error}") from None
