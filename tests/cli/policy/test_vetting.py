"""A bundle, asked what its vectors ask."""

import json
from pathlib import Path

import pytest

from gateway.cli import DONE, SAYS_NO, main
from gateway.policy.archive import write_archive
from gateway.policy.build import read_bundle_files, reference_base, with_site
from gateway.policy.digests import canonical
from gateway.policy.site import Site


def bundle(folder: Path, *, site: Site, vectors: dict[str, bytes]) -> str:
    path = folder / "b.tar.gz"
    path.write_bytes(write_archive(with_site(read_bundle_files(reference_base()), site, "b", vectors)))
    return str(path)


def test_the_released_rules_answer_their_vectors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "vectors", str(reference_base()), "--json"]) == DONE
    assert json.loads(capsys.readouterr().out)["ok"]


def test_an_answer_that_is_another_is_shown_beside_what_was_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = canonical(
        {"about": "mine", "vectors": [{"name": "it is open", "input": {}, "decision": {"outcome": "allow"}}] * 12}
    )
    path = bundle(tmp_path, site=Site(), vectors={"vectors/site/mine.json": mine})
    assert main(["policy", "vectors", path, "--sarif", str(tmp_path / "found.sarif")]) == SAYS_NO
    said = capsys.readouterr().out
    assert 'it is open: wanted {"outcome":"allow"}, got {"advice":[]' in said
    assert "2 more" in said
    assert "policy/vectors/site/mine.json" in (tmp_path / "found.sarif").read_text()


def test_a_bundle_without_vectors_is_not_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = read_bundle_files(Path(bundle(tmp_path, site=Site(), vectors={})))
    kept = {name: raw for name, raw in files.items() if not name.startswith("vectors/")}
    manifest = json.loads(kept[".manifest"])
    manifest["metadata"]["querywarden"]["vectors"] = []
    (tmp_path / "none.tar.gz").write_bytes(write_archive({**kept, ".manifest": canonical(manifest)}))
    assert main(["policy", "vectors", str(tmp_path / "none.tar.gz")]) == SAYS_NO
    assert "brings none" in capsys.readouterr().out
