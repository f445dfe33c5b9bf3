"""Every code a person can meet stands in the registry, is used, and has its line in the reference."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.core import errors
from gateway.core.codes import CODES
from tests.shape.tree import ROOT, python_files, tree_of

REGISTRY = frozenset({Path("gateway/core/codes.py"), Path("gateway/core/policy_codes.py")})
RAISED = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
CARRIERS = RAISED | {"Hazard"}
SQLSTATE_LENGTH = 5


def codes_used() -> Iterator[tuple[str, str]]:
    """Where a code is written as a literal in a call that carries one, and the code."""
    for path in python_files("gateway"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and name_of(node.func) in CARRIERS:
                for value in [*node.args[:1], *(word.value for word in node.keywords if word.arg == "code")]:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        yield f"{path}:{node.lineno}", value.value


def name_of(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def strings_in_gateway() -> set[str]:
    return {
        node.value
        for path in python_files("gateway")
        if path not in REGISTRY
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_used_in_the_program_is_registered() -> None:
    assert [(where, code) for where, code in codes_used() if code not in CODES] == []


def test_every_registered_code_is_used_in_the_program() -> None:
    strings = strings_in_gateway()
    assert [code for code in CODES if code not in strings] == []


def test_every_registered_code_is_documented() -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"`{code}`" not in page] == []


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_says_what_happened_and_what_to_do_in_every_protocol(code: str) -> None:
    entry = CODES[code]
    assert len(entry.sqlstate) == SQLSTATE_LENGTH
    assert entry.http in range(400, 600)
    assert entry.mysql > 0
    assert entry.message[:1].islower() or entry.message[:1].isupper()
    assert not entry.message.endswith(".")
    assert entry.remedy.endswith(".")
