"""The published JSON Schemas are the structs that check every document."""

import json
from pathlib import Path

from gateway.policy.schemas import schema_texts

SCHEMAS = Path(__file__).resolve().parents[2] / "policies" / "schema"


def test_the_files_are_what_the_structs_say() -> None:
    assert {path.name: path.read_text() for path in SCHEMAS.glob("*.json")} == schema_texts()


def test_no_object_of_the_input_takes_a_key_that_nobody_knows() -> None:
    def objects(node: object) -> list[dict[str, object]]:
        match node:
            case dict():
                below = [found for part in node.values() for found in objects(part)]
                return [node, *below] if node.get("type") == "object" else below
            case list():
                return [found for part in node for found in objects(part)]
        return []

    for text in schema_texts().values():
        found = objects(json.loads(text))
        assert found
        assert all("additionalProperties" in each for each in found)
        assert all(each["additionalProperties"] is False for each in found if each.get("properties"))


def test_no_reference_is_left_because_opa_reads_none() -> None:
    assert all("$ref" not in text for text in schema_texts().values())
