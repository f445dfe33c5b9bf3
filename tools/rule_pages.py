"""A page for each rule of the released bundle: its METADATA, tests, vectors, and `tools/rule_examples.yaml`."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import msgspec
import yaml

from gateway.cli.policy.matrix import naming
from gateway.core.verdict import Reason
from gateway.policy.build import read_bundle_files, reference_base
from gateway.policy.bundle import read_contents
from gateway.policy.manifest import Rule
from gateway.policy.requirements import Standard, read_catalogue, shipped_catalogue
from gateway.policy.vectors import Vector, Vectors, decode_vectors

ROOT = Path(__file__).resolve().parents[1]
TESTS = ROOT / "rego_tests"
EXAMPLES = Path(__file__).with_name("rule_examples.yaml")
UP = "../../.."
SHOWN = 10
"""vectors and tests a page names; the rest is counted"""
_COMMENT = re.compile(r"^# ?", re.MULTILINE)


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of the site data a rule reads."""

    access: str = ""
    classification: str = ""
    says: str = ""
    none: str = ""
    """why there is nothing to write"""


class _Decision(msgspec.Struct, frozen=True):
    outcome: str
    reasons: tuple[Reason, ...] = ()


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A vector that gives the code."""

    file: str
    vector: Vector
    outcome: str
    args: dict[str, str]


@cache
def released() -> dict[str, Rule]:
    """The rules of the released bundle, by code."""
    manifest = read_contents(read_bundle_files(reference_base()))
    return {rule.code: rule for rule in manifest.metadata.querywarden.rules}


@cache
def examples() -> dict[str, Example]:
    """By code."""
    return msgspec.convert(yaml.safe_load(EXAMPLES.read_bytes()), dict[str, Example])


def page(code: str, generated: str) -> str:
    """The whole page."""
    rule = released()[code]
    vectors = list(shown_by(code))
    parts = [
        f"# `{code}`",
        generated,
        f"{rule.title}. {_described(rule)}".strip(),
        f"{rule.effect} · {rule.severity} · [`{rule.file}:{rule.line}`]({UP}/policies/{rule.file}#L{rule.line})",
        f"Says: “{rule.message}”\n\nWhat to do: {rule.remedy}",
        *_seen(rule, vectors),
        "## Why\n\n" + "\n".join(_requirements(rule.controls)),
        "## Site data\n\n" + _site(examples()[code]),
        "## Shown by\n\n" + "\n".join([*_tests(code), *_vectors(vectors)]),
        "[All rules](../rules.md)",
    ]
    return "\n\n".join(parts) + "\n"


def shown_by(code: str) -> Iterator[Shown]:
    """The vectors of the tree that give a code."""
    for path in sorted((TESTS / "vectors").glob("*.json")):
        for vector in _file(path).vectors:
            decision = msgspec.convert(vector.decision, _Decision)
            for reason in decision.reasons:
                if reason.code == code:
                    yield Shown(file=path.name, vector=vector, outcome=decision.outcome, args=dict(reason.args))
                    break


@cache
def _file(path: Path) -> Vectors:
    return decode_vectors(path.name, path.read_bytes())


def _described(rule: Rule) -> str:
    """What the METADATA of the package says."""
    head = (ROOT / "policies" / rule.file).read_text("utf-8").partition("\npackage ")[0]
    said = yaml.safe_load(_COMMENT.sub("", head).removeprefix("METADATA\n"))
    return " ".join(said.get("description", "").split())


def _seen(rule: Rule, vectors: Sequence[Shown]) -> Iterator[str]:
    """One case in words."""
    for each in vectors[:1]:
        message = rule.message
        for name, value in each.args.items():
            message = message.replace(f"{{{name}}}", value)
        yield f"For example, *{each.vector.name}*: {each.outcome}, “{message}”."


def _requirements(controls: Sequence[str]) -> Iterator[str]:
    yield "| requirement | in our words | what is left to you |\n|---|---|---|"
    for control in controls:
        for standard in _standards():
            for each in standard.requirements:
                if standard.full(each.id) == control:
                    yield f"| {control} | {each.title} | {each.owes} |"


@cache
def _standards() -> tuple[Standard, ...]:
    return read_catalogue(shipped_catalogue()).standards


def _site(example: Example) -> str:
    files = {"classification": example.classification, "access": example.access}
    blocks = [f"```yaml\n# {name}.yaml\n{text.rstrip()}\n```" for name, text in files.items() if text]
    return "\n\n".join([example.says or example.none, *blocks])


def _tests(code: str) -> Iterator[str]:
    places = list(naming(code, TESTS))
    for place in places[:SHOWN]:
        file, _, line = place.rpartition(":")
        yield f"- [`rego_tests/{place}`]({UP}/rego_tests/{file}#L{line})"
    if len(places) > SHOWN:
        yield f"- and {len(places) - SHOWN} more lines of tests"


def _vectors(vectors: Sequence[Shown]) -> Iterator[str]:
    for each in vectors[:SHOWN]:
        link = f"[{each.file}]({UP}/rego_tests/vectors/{each.file})"
        yield f"- vector *{each.vector.name}* ({each.outcome}), {link}"
    if len(vectors) > SHOWN:
        yield f"- and {len(vectors) - SHOWN} more vectors"
