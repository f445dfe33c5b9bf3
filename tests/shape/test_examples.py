"""The examples of the reference are documents the program itself accepts, and belong together."""

import hashlib
import json
import re
from collections.abc import Iterator

import msgspec
import pytest
import rfc8785

from gateway.core.events import EventType
from gateway.core.verdict import Decision, Outcome
from gateway.evidence.leaf import Leaf, decode_leaf, encode_leaf
from gateway.policy.schema import Document
from tests.shape.tree import ROOT


def page(name: str) -> str:
    return (ROOT / f"docs/reference/{name}.md").read_text(encoding="utf-8")


def example(name: str) -> dict[str, object]:
    blocks = re.findall(r"```json\n(.*?)```", page(name), re.DOTALL)
    assert len(blocks) == 1
    document: dict[str, object] = json.loads(blocks[0])
    return document


def digest(name: str) -> str:
    return "sha256:" + hashlib.sha256(rfc8785.dumps(example(name))).hexdigest()  # type: ignore[arg-type]  # JSON


def test_the_input_is_one_the_gateway_would_build() -> None:
    document = msgspec.convert(example("input"), Document)
    assert json.loads(msgspec.json.encode(document)) == example("input")


def test_the_decision_is_one_the_gateway_reads() -> None:
    assert msgspec.convert(example("decision"), Decision).outcome is Outcome.MASK


def test_the_leaf_is_one_the_log_reads_and_writes_back_the_same() -> None:
    canonical = rfc8785.dumps(example("leaf"))  # type: ignore[arg-type]  # JSON
    assert encode_leaf(decode_leaf(canonical)) == canonical


def test_the_leaf_names_the_input_and_the_decision_of_their_pages() -> None:
    leaf = example("leaf")
    assert (leaf["in"], leaf["out"]) == (digest("input"), digest("decision"))


def test_the_input_names_the_hash_of_its_own_text() -> None:
    statement = example("input")["statement"]
    assert isinstance(statement, dict)
    assert statement["sha256"] == hashlib.sha256(statement["text_redacted"].encode()).hexdigest()


def test_every_array_of_names_in_the_input_is_sorted() -> None:
    statement = example("input")["statement"]
    assert isinstance(statement, dict)
    for name in ("relations", "columns"):
        keys = [(fact["schema"], fact.get("relation", ""), fact["name"]) for fact in statement[name]]
        assert keys == sorted(keys)


def fields(schema: object) -> Iterator[str]:
    """The names of every field in a JSON Schema, those of its parts included."""
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        assert isinstance(properties, dict)
        yield from properties
        for part in schema.values():
            yield from fields(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from fields(part)


@pytest.mark.parametrize("name", ["input", "decision"])
def test_every_field_of_a_schema_stands_on_its_page(name: str) -> None:
    schema = json.loads((ROOT / f"policies/schema/{name}.json").read_text(encoding="utf-8"))
    table = page(name).partition("## Example")[0]
    assert [field for field in set(fields(schema)) if not re.search(rf"`[^`]*\b{field}\b[^`]*`", table)] == []


def test_every_field_of_a_leaf_stands_on_its_page() -> None:
    table = page("leaf").partition("## Types")[0]
    names = [field.encode_name for field in msgspec.structs.fields(Leaf)]
    assert [name for name in names if f"`{name}`" not in table] == []


@pytest.mark.parametrize("kind", list(EventType))
def test_every_type_of_leaf_is_documented(kind: EventType) -> None:
    assert f"`{kind}`" in page("leaf")
