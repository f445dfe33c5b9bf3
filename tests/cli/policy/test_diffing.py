"""Two bundles, compared as people think of them."""

import json
from pathlib import Path

import msgspec
import pytest

from gateway.cli import DONE, SAYS_NO, main
from gateway.cli.policy.diffing import difference
from gateway.policy.archive import write_archive
from gateway.policy.build import read_bundle_files, reference_base, with_site
from gateway.policy.bundle import read_contents
from gateway.policy.digests import MANIFEST
from gateway.policy.manifest import Metadata, Rule, write_manifest
from gateway.policy.site import Site

BASE = read_bundle_files(reference_base())


def with_rules(*rules: Rule) -> dict[str, bytes]:
    manifest = read_contents(BASE)
    ours = msgspec.structs.replace(manifest.metadata.querywarden, rules=rules)
    changed = msgspec.structs.replace(manifest, metadata=Metadata(querywarden=ours))
    return {**BASE, MANIFEST: write_manifest(changed)}


def rules() -> tuple[Rule, ...]:
    return read_contents(BASE).metadata.querywarden.rules


def test_a_bundle_does_not_differ_from_itself_whoever_signed_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", str(reference_base()), str(reference_base())]) == DONE
    assert "decisions  0 of " in capsys.readouterr().out


def test_rules_are_added_removed_and_changed_by_their_metadata() -> None:
    one, other, *rest = rules()
    changed = msgspec.structs.replace(one, severity="critical", controls=("PCI-DSS-4.0.1/3.4.1",), line=one.line + 1)
    fresh = msgspec.structs.replace(other, code="access.fresh")
    found = difference(BASE, with_rules(changed, fresh, *rest))
    assert (found.added, found.removed) == (("access.fresh",), (other.code,))
    assert [(rule.code, [field.name for field in rule.fields]) for rule in found.changed] == [
        (one.code, ["severity", "controls"])
    ]


def test_a_rule_that_only_moved_is_the_same_rule() -> None:
    one, *rest = rules()
    assert difference(BASE, with_rules(msgspec.structs.replace(one, line=one.line + 7), *rest)).changed == ()


def test_decisions_are_compared_over_the_vectors_of_both() -> None:
    vectors = {"vectors/site/mine.json": json.dumps(
        {"about": "mine", "vectors": [{"name": "nothing is asked", "input": {}, "decision": {}}]},
        separators=(",", ":"), sort_keys=True,
    ).encode()}  # fmt: skip
    before, after = with_site(BASE, Site(), "a"), with_site(BASE, Site(masks={"pan": "null"}), "b", vectors)
    found = difference(before, after)
    assert found.vectors == difference(BASE, BASE).vectors + 1
    assert found.site == ("masks",)
    assert found.files == ("vectors/site/mine.json",)
    assert found.decisions == ()


def test_a_decision_that_would_be_another_is_named_and_exits_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[3] / "rego_tests/vectors/methods.json").read_text()
    asked = json.loads(text)
    mine = {"about": "mine", "vectors": [asked["vectors"][0]]}
    raw = json.dumps(mine, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    granted = msgspec.convert(asked["site"], Site)
    for name, site in (("a", granted), ("b", Site())):
        files = with_site(BASE, site, name, {"vectors/site/mine.json": raw})
        (tmp_path / f"{name}.tar.gz").write_bytes(write_archive(files))
    assert main(["policy", "diff", str(tmp_path / "a.tar.gz"), str(tmp_path / "b.tar.gz")]) == SAYS_NO
    said = capsys.readouterr().out
    assert "mask -> deny" in said
    assert "+access.no_grant" in said
