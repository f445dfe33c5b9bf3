"""The reference page names every setting with its type, default and meaning."""

import json
import re

import pytest

from gateway.config.reference import page
from gateway.config.schema import schema_text

PAGE = page("GENERATED")
SCHEMA = json.loads(schema_text())
ROWS = re.findall(r"^\| `([a-z0-9_]+)` \| (.+?) \| (.*?) \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_setting_has_a_row() -> None:
    settings = {key for name, each in SCHEMA["$defs"].items() if name != "Secret" for key in each["properties"]}
    assert {row[0] for row in ROWS} == settings


def test_every_section_stands_once_under_its_path() -> None:
    headings = re.findall(r"^## `(.+)`$", PAGE, re.MULTILINE)
    assert len(headings) == len(set(headings)) == len(SCHEMA["$defs"]) - 2  # not the file itself, nor the secret
    assert "connections.NAME.limits" in headings
    assert "identity.issuers[].claims" in headings


@pytest.mark.parametrize(
    ("name", "kind", "default"),
    [
        ("idle_timeout", "duration", "`15m`"),
        ("message_max", "size or number", "`16MiB`"),
        ("address", "address", "**required**"),
        ("password", "secret", ""),
        ("verification_keys", "list of text", "**required**"),
        ("engine", "`embedded` `opa`", "`embedded`"),
        ("insecure_loopback", "`true` `false`", "`false`"),
        ("search_path", "list of text", '`["public"]`'),
        ("state", "store", ""),
    ],
)
def test_a_row_says_type_and_default(name: str, kind: str, default: str) -> None:
    assert (name, kind, default) in [row[:3] for row in ROWS]


def test_what_is_not_available_is_said_so() -> None:
    said = {name: meaning for name, _, _, meaning in ROWS}
    for name in ("mysql", "notify"):
        assert "Not available in this version" in said[name]


def test_the_line_that_says_who_wrote_it_stands_below_the_title() -> None:
    assert PAGE.startswith("# Configuration\n\nGENERATED\n\n")
    assert "GENERATED" not in page()
