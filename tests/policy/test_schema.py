"""The input's structs and their JSON Schema say the same."""

import json
from collections.abc import Iterator

import msgspec
import pytest

from gateway.policy.document import Scribe, check
from gateway.policy.probe import PROBE
from gateway.policy.schema import OPTIONAL, SPEC, Document, json_schema


def properties(node: object, prefix: str = "") -> Iterator[tuple[str, bool]]:
    """Each path of objects in a schema, and whether it must be there."""
    if isinstance(node, dict):
        required = node.get("required", [])
        for name, part in node.get("properties", {}).items():
            yield f"{prefix}{name}", name in required
            yield from properties(part, f"{prefix}{name}.")


def test_every_path_that_a_bundle_may_leave_out_is_optional_in_the_schema() -> None:
    found = dict(properties(json_schema(Document, SPEC)))
    assert [path for path in OPTIONAL if found[path]] == []


def test_the_input_of_another_version_is_refused() -> None:
    loaded = json.loads(Scribe(()).write(PROBE))
    with pytest.raises(msgspec.ValidationError):
        check(json.dumps({**loaded, "spec": "querywarden/input/v2"}).encode())


def test_every_part_that_must_be_there_is_missed_when_it_is_not() -> None:
    loaded = json.loads(Scribe(()).write(PROBE))
    for name in ("spec", "subject", "action", "resource", "statement", "context"):
        with pytest.raises(msgspec.ValidationError):
            check(json.dumps({key: value for key, value in loaded.items() if key != name}).encode())


def test_only_a_struct_has_a_schema_of_an_object() -> None:
    class Broken(msgspec.Struct):
        when: complex

    with pytest.raises((NotImplementedError, TypeError)):
        json_schema(Broken, "broken")
