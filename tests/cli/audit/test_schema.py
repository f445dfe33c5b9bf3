"""What the auditor's commands print as JSON is what the published schema says."""

import json
from pathlib import Path

import jsonschema
import pytest

from gateway import cli
from tests.cli.audit.world import ARCHIVE, Written

SCHEMA = json.loads((Path(__file__).parents[3] / "docs/reference/audit.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["search"], "Hit"),
        (["search", "--facet", "rule"], "Facet"),
        (["explain", "--at", "2100-01-01", "--outcome", "deny", "--label", "pan"], "Account"),
        (["replay-decisions", "--processes", "1"], "Report"),
        (["replay-decisions", "--processes", "1", "--candidate", str(ARCHIVE)], "Differences"),
    ],
)
def test_json_is_as_its_schema_says(
    read: Written, capsys: pytest.CaptureFixture[str], arguments: list[str], kind: str
) -> None:
    cli.main(["audit", *arguments, "--data", str(read.folder), "--json"])
    out = capsys.readouterr().out
    documents = [json.loads(out)] if out.startswith("{\n") else [json.loads(line) for line in out.splitlines()]
    assert documents
    for document in documents:
        jsonschema.validate(document, {**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{kind}"}]})
        assert document.keys() == SCHEMA["$defs"][kind]["properties"].keys()
