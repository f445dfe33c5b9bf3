"""Names of findings: every one that the code can give is documented, and reading strictly fails with one."""

import re
from pathlib import Path

import pytest

from gateway.evidence.package.assembled import verify_py
from gateway.evidence.package.verifier.findings import (
    INCOMPLETE,
    NOTES,
    Broken,
    decimal,
    listed,
    mapping,
    need,
    number,
    parsed,
    text,
    unbase64,
)

PAGE = Path(__file__).parents[3] / "docs/reference/evidence-package.md"
NAMED = re.compile(
    r'"((?:zip|anchor|file|manifest|signature|key|checkpoint|cosignature|tile|root|entries|leaf|session|heartbeat|log|epoch'
    r"|consistency|proof|period|population|sample|seed|body|bundle|recording|custody|report|witness|clock|time)\.[a-z_]+)\""
)
NOT_FINDINGS = {"log.opened", "log.closed", "session.opened", "body.shredded", "recording.sealed", "input.json"}


def test_every_finding_is_on_the_reference_page_and_no_other_is() -> None:
    given = set(NAMED.findall(verify_py().decode())) - NOT_FINDINGS
    written = set(re.findall(r"^\| `([a-z_.]+)`", PAGE.read_text("utf-8"), re.MULTILINE))
    assert {name for name in given if not name.endswith((".json", ".csv"))} == written


def test_what_is_missing_and_what_is_only_said_are_told_apart() -> None:
    assert not INCOMPLETE & NOTES


def test_values_of_another_kind_are_empty() -> None:
    assert (mapping(1), listed({}), text(None), number("1"), decimal("-1"), decimal(1)) == (
        {}, [], "", -1, -1, -1,
    )  # fmt: skip
    assert (mapping({"a": 1}), listed([1]), text("x"), number(7), decimal("7")) == ({"a": 1}, [1], "x", 7, 7)


@pytest.mark.parametrize("raw", [b"", b"[]", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Broken, match=r"file\.unreadable"):
        parsed(raw, "x")


@pytest.mark.parametrize("said", ["A", "AA=", "AB==", "AA==\n", "ä"])
def test_base64_has_one_spelling(said: str) -> None:
    with pytest.raises(Broken, match=r"n\.o"):
        unbase64(said, "x", "n.o")


def test_a_need_that_holds_says_nothing() -> None:
    need("x", "n.o", "", "")
    with pytest.raises(Broken) as caught:
        need("", "n.o", "there", "why")
    assert caught.value.finding == ("n.o", "there", "why")
