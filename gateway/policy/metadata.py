"""The rules of a policy, from the METADATA that `opa inspect -a -f json` lists."""

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from gateway.core.errors import BundleRejected
from gateway.core.principal import Json
from gateway.policy.manifest import Rule


class _Step(msgspec.Struct, frozen=True):
    value: Json


class _Location(msgspec.Struct, frozen=True):
    file: str
    row: int


class _Annotations(msgspec.Struct, frozen=True):
    title: str = ""
    custom: dict[str, Json] = {}


class _Annotated(msgspec.Struct, frozen=True):
    annotations: _Annotations
    location: _Location
    path: tuple[_Step, ...]


class _Inspection(msgspec.Struct, frozen=True):
    annotations: tuple[_Annotated, ...] = ()


def rules(inspection: bytes) -> tuple[Rule, ...]:
    """One for each annotation with a code, sorted by code. Raises BundleRejected when one lacks something."""
    try:
        found = sorted(_rules(msgspec.json.decode(inspection, type=_Inspection)), key=lambda rule: rule.code)
    except msgspec.ValidationError as error:
        raise BundleRejected("bundle.manifest", f"METADATA: {error}") from None
    for one, other in pairwise(found):
        if one.code == other.code:
            raise BundleRejected("bundle.manifest", f"{other.file}:{other.line}: the code {other.code} is given twice")
    return tuple(found)


def _rules(inspection: _Inspection) -> Iterator[Rule]:
    for entry in inspection.annotations:
        if "code" not in entry.annotations.custom:
            continue
        place = f"{entry.location.file.lstrip('/')}:{entry.location.row}"
        try:
            yield msgspec.convert(
                {
                    **entry.annotations.custom,
                    "title": entry.annotations.title,
                    "rule": ".".join(str(step.value) for step in entry.path),
                    "file": entry.location.file.lstrip("/"),
                    "line": entry.location.row,
                },
                Rule,
            )
        except msgspec.ValidationError as error:
            raise BundleRejected("bundle.manifest", f"{place}: METADATA: {error}") from None
