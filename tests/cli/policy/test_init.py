"""A policy repository that works from its first commit."""

from pathlib import Path

import pytest
import yaml

from gateway.cli import DONE, USAGE, main
from gateway.cli.policy.init import FILES


def test_what_it_writes_builds_and_answers_its_own_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle, found = str(tmp_path / "bundle.tar.gz"), tmp_path / "vectors.xml"
    assert main(["policy", "init", str(tmp_path / "mine")]) == DONE
    assert main(["policy", "build", "--site", str(tmp_path / "mine/site"), "-o", bundle]) == DONE
    assert main(["policy", "vectors", bundle, "--junit", str(found)]) == DONE
    assert "vectors/site/access.json: 1 answered as they say" in capsys.readouterr().out
    assert 'failures="0"' in found.read_text()


def test_the_workflow_runs_commands_that_exist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["policy", "init", str(tmp_path)])
    workflow = yaml.safe_load((tmp_path / ".github/workflows/policy.yml").read_text())
    steps = [step["run"].split() for step in workflow["jobs"]["policy"]["steps"] if "run" in step]
    ours = [words for words in steps if words[0] == "querywarden"]
    assert len(ours) == 3
    for words in ours:
        assert main([*words[1:3], "--help"]) == DONE
        text = capsys.readouterr().out
        assert [word for word in words if word.startswith("--") and word not in text] == []


def test_nothing_that_exists_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    assert main(["policy", "init", str(tmp_path)]) == USAGE
    assert "already there: README.md" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    assert set(FILES) > {"README.md"}
