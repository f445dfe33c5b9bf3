"""`querywarden policy diff`: two bundles in terms of rules, of site data, and of decisions over the vectors of both."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from msgspec import UNSET

from gateway.cli.audit.words import as_json as json_text
from gateway.cli.audit.words import printable
from gateway.cli.policy.evaluating import Answer, answer_of
from gateway.cli.policy.options import AsJson
from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES
from gateway.core.errors import GatewayError
from gateway.core.principal import Json
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import SITE_DATA, VECTORS, WASM, read_contents, whole_data
from gateway.policy.digests import MANIFEST, SIGNATURES, canonical, canonical_value
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.manifest import Rule
from gateway.policy.vectors import decode_vectors

SHOWN: Final = 20
OWN_SITE: Final = "own site data"
_NOT_SOURCE: Final = (MANIFEST, SIGNATURES, WASM, SITE_DATA)


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that METADATA says otherwise."""

    name: str
    before: Json
    after: Json


class ChangedRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that both have."""

    code: str
    place: str
    fields: tuple[Field, ...]


class ChangedDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A vector that both answer, not alike."""

    file: str
    name: str
    before: str
    after: str
    lost: tuple[str, ...]
    gained: tuple[str, ...]


class BundleDiff(msgspec.Struct, frozen=True, kw_only=True):
    """What one bundle has otherwise than another."""

    before: str
    after: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[ChangedRule, ...]
    files: tuple[str, ...]
    """whose content differs, or that only one has"""
    site: tuple[str, ...]
    """sections of the site data"""
    vectors: int
    """how many were asked of both"""
    decisions: tuple[ChangedDecision, ...]

    @property
    def none(self) -> bool:
        """Whether they are one policy."""
        return not (self.added or self.removed or self.changed or self.files or self.site or self.decisions)


def diff(
    before: Annotated[Path, Parameter(help="A bundle. Signatures are not looked at.")],
    after: Annotated[Path, Parameter(help="Another one.")],
    *,
    as_json: AsJson = False,
) -> int:
    """Say what differs between two bundles: rules and METADATA, site data, decisions. Exits 1 when something does."""
    found = difference(read_bundle_files(before), read_bundle_files(after))
    sys.stdout.write(json_text(found) if as_json else in_words(found))
    return SAYS_YES if found.none else SAYS_NO


def difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> BundleDiff:
    """Of the files of two bundles."""
    old, new = _rules(before), _rules(after)
    asked, decisions = _decisions(before, after)
    sources = {
        name for name in before.keys() | after.keys() if name not in _NOT_SOURCE and before.get(name) != after.get(name)
    }
    return BundleDiff(
        before=read_contents(before).revision,
        after=read_contents(after).revision,
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(
            _changed(old[code], new[code]) for code in sorted(old.keys() & new.keys()) if _differ(old, new, code)
        ),
        files=tuple(sorted(sources)),
        site=tuple(_site(before, after)),
        vectors=asked,
        decisions=tuple(decisions),
    )


def _rules(files: Mapping[str, bytes]) -> dict[str, Rule]:
    return {rule.code: rule for rule in read_contents(files).metadata.querywarden.rules}


def _differ(old: Mapping[str, Rule], new: Mapping[str, Rule], code: str) -> bool:
    return bool(_changed(old[code], new[code]).fields)


def _changed(before: Rule, after: Rule) -> ChangedRule:
    """A rule that only moved within its file is the same rule."""
    one, other = msgspec.to_builtins(before), msgspec.to_builtins(after)
    fields = [Field(name=name, before=one[name], after=other[name]) for name in one if one[name] != other[name]]
    place = f"{after.file}:{after.line}"
    return ChangedRule(code=after.code, place=place, fields=tuple(field for field in fields if field.name != "line"))


def _site(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str]:
    one, other = (canonical_value(SITE_DATA, files.get(SITE_DATA, b"{}")) for files in (before, after))
    if isinstance(one, dict) and isinstance(other, dict):
        yield from sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _decisions(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[int, list[ChangedDecision]]:
    """Every vector of either, asked of both: under the site data it brings, and under each bundle's own."""
    texts = {(name, raw) for files in (before, after) for name, raw in files.items() if name.startswith(VECTORS)}
    engines = [(files, EmbeddedEngine(files[WASM], whole_data(files))) for files in (before, after)]
    asked: dict[tuple[bytes, bytes], None] = {}
    found: list[ChangedDecision] = []
    try:
        for name, raw in sorted(texts):
            file = decode_vectors(name, raw)
            for site in {b"": None} if file.site is UNSET else {canonical(file.site): None, b"": None}:
                over = [engine.over(_with(files, site)) if site else engine for files, engine in engines]
                for vector in file.vectors:
                    document = canonical(vector.input)
                    if (document, site) in asked:
                        continue
                    asked[document, site] = None
                    one, other = (_ask(engine, document) for engine in over)
                    if one.sha256 != other.sha256:
                        found.append(_decision(name if site else OWN_SITE, vector.name, one, other))
    finally:
        for _, engine in engines:
            engine.close()
    return len(asked), found


def _with(files: Mapping[str, bytes], site: bytes) -> bytes:
    whole = msgspec.json.decode(whole_data(files), type=dict[str, msgspec.Raw])
    return canonical({"gateway": msgspec.json.decode(whole["gateway"]), "site": msgspec.json.decode(site)})


def _ask(engine: EmbeddedEngine, document: bytes) -> Answer:
    try:
        return answer_of(engine.evaluate_now(document))
    except (GatewayError, msgspec.DecodeError) as error:
        code = error.code if isinstance(error, GatewayError) else "policy.invalid_answer"
        return Answer(code, "deny", (code,))


def _decision(file: str, name: str, before: Answer, after: Answer) -> ChangedDecision:
    return ChangedDecision(
        file=file,
        name=name,
        before=before.outcome,
        after=after.outcome,
        lost=tuple(sorted(set(before.codes) - set(after.codes))),
        gained=tuple(sorted(set(after.codes) - set(before.codes))),
    )


def in_words(found: BundleDiff) -> str:
    """Lines for people: + what is new, - what is gone, ~ what is otherwise."""
    lines = [f"bundles    {found.before} -> {found.after}"]
    lines += [f"rule     + {code}" for code in found.added] + [f"rule     - {code}" for code in found.removed]
    for rule in found.changed:
        lines.append(f"rule     ~ {rule.code}  {rule.place}")
        lines += [f"             {field.name}: {_said(field.before)} -> {_said(field.after)}" for field in rule.fields]
    lines += [f"file     ~ {name}" for name in found.files] + [f"site     ~ {name}" for name in found.site]
    lines.append(f"decisions  {len(found.decisions)} of {found.vectors} questions are answered otherwise")
    for each in found.decisions[:SHOWN]:
        codes = "".join([*(f" -{code}" for code in each.lost), *(f" +{code}" for code in each.gained)])
        lines.append(f"         ~ {each.before} -> {each.after}{codes}: {each.name} ({each.file})")
    if len(found.decisions) > SHOWN:
        lines.append(f"           {len(found.decisions) - SHOWN} more; --json has them all")
    return "\n".join(map(printable, lines)) + "\n"


def _said(value: Json) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
