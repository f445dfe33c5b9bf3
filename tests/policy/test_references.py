"""The list of paths that a policy reads is never too short."""

import json
from pathlib import Path

import pytest

from gateway.core.errors import BundleRejected
from gateway.policy.compiler import Opa
from gateway.policy.references import reads, reads_for


def parsed(folder: Path, text: str) -> tuple[str, ...]:
    """What a module reads, by the syntax tree of the real parser."""
    (folder / "x.rego").write_text(f"package gateway.x\n\n{text}\n", encoding="utf-8")
    return reads([("x.rego", json.loads(Opa.find().must("parse", "--format", "json", "x.rego", cwd=folder)))])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('rule if input.context.purpose != ""', ("context.purpose",)),
        ('rule if input["context"].purpose != ""', ("context.purpose",)),
        ("rule if some column in input.statement.columns", ("statement.columns",)),
        ("rule if input.statement.columns[_].labels[0]", ("statement.columns",)),
        ("rule if input.context[name]", ("context",)),
        ('rule if input.context[concat("", ["pur", "pose"])]', ("context",)),
        ("rule if {\n\tc := input.context\n\tc.purpose\n}", ("context",)),
        ("rule if object.get(input.context, name, 1)", ("context",)),
        ("rule if data.x[input.action.name]", ("action.name",)),
        ("rule if input.context[input.action.name]", ("action.name", "context")),
        ("import input.context as c\n\nrule if c.purpose", ("context",)),
        ("rule := {x | some x in input.subject.groups}", ("subject.groups",)),
        ('rule contains input.action.name if not input.subject.id in {"a"}', ("action.name", "subject.id")),
        ("f(x) := x + 1\n\nrule := f(input.statement.count)", ("statement.count",)),
        ("rule if every r in input.statement.relations {\n\tr.name == input.spec\n}", ("spec", "statement.relations")),
        ("default rule := false\n\nrule if true", ()),
        ("rule := 1 if true\n\nelse := input.context.ticket", ("context.ticket",)),
        ("rule if input.context\n\nother if input.context.purpose", ("context",)),
        ('rule if input.claims["a.b"].c', ("claims",)),
    ],
)  # fmt: skip
def test_every_way_to_read_a_path_is_found(text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    assert parsed(tmp_path, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "rule := input",
        "rule if input[name]",
        'rule if object.get(input, ["context", "purpose"], "")',
        "rule if walk(input)",
        "rule if {\n\tx := input\n\tx.context\n}",
        "rule if data.y with input as {}",
        'rule if json.filter(input, ["context/purpose"])',
        "import input as i\n\nrule if i.context",
        'rule if input["a.b"]',
    ],
)
def test_the_input_as_a_whole_is_refused_because_nobody_could_say_what_is_read(text: str, tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match="name the parts"):
        parsed(tmp_path, text)


def test_the_paths_of_several_modules_are_one_sorted_list() -> None:
    def tree(*path: str) -> object:
        steps = [{"type": "var", "value": "input"}, *({"type": "string", "value": name} for name in path)]
        return {"rules": [{"head": {"value": {"type": "ref", "value": steps}}}]}

    modules = [("b", tree("spec")), ("a", tree("action", "name")), ("c", tree("spec"))]
    assert reads(modules) == ("action.name", "spec")


def read_for(folder: Path, metadata: str, *known: str) -> dict[str, tuple[str, ...]]:
    """What a module reads, and under which section, when its package has METADATA."""
    text = f"# METADATA\n# title: x\n{metadata}package gateway.x\n\nrule if input.context.time\n"
    (folder / "x.rego").write_text(text, encoding="utf-8")
    module = json.loads(Opa.find().must("parse", "--format", "json", "x.rego", cwd=folder))
    return reads_for([("x.rego", module)], known)


def test_what_is_read_for_a_section_is_listed_under_it(tmp_path: Path) -> None:
    said = "# custom:\n#   reads_for: [hours, limits]\n"
    assert read_for(tmp_path, said, "hours", "limits") == {"hours": ("context.time",), "limits": ("context.time",)}


@pytest.mark.parametrize("said", ["", "# custom:\n#   other: [hours]\n", "# custom:\n#   reads_for: []\n"])
def test_what_is_read_for_no_section_is_read_for_everybody(said: str, tmp_path: Path) -> None:
    assert read_for(tmp_path, said, "hours") == {"": ("context.time",)}


def test_a_section_that_nobody_knows_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BundleRejected, match="reads_for names no section of site data: hour"):
        read_for(tmp_path, "# custom:\n#   reads_for: [hour]\n", "hours")


def test_what_one_package_reads_for_a_section_another_reads_for_everybody(tmp_path: Path) -> None:
    parts = []
    for name, said in (("a", "# METADATA\n# title: x\n# custom:\n#   reads_for: [hours]\n"), ("b", "")):
        (tmp_path / f"{name}.rego").write_text(f"{said}package gateway.{name}\n\nrule if input.context.time\n", "utf-8")
        parts.append((name, json.loads(Opa.find().must("parse", "--format", "json", f"{name}.rego", cwd=tmp_path))))
    assert reads_for(parts, ["hours"]) == {"": ("context.time",), "hours": ("context.time",)}
