"""The search for secrets finds one wherever it stands, and looks at files that were really written."""

from pathlib import Path

import pytest

from gateway.cli.demo import leaks
from gateway.cli.demo.stage import Answer, Stage

SIGNATURE = "c2lnbmF0dXJl"


class FakeStage(Stage, frozen=True, kw_only=True):
    """Answers as told."""

    answer: Answer = Answer(names=["brand"], rows=[])

    def ask_with(self, token: str, *statements: str) -> Answer:
        assert token.endswith(SIGNATURE)
        assert "4111111111111111" in statements[0]
        return self.answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in {
        "tokens/support-agent": f"head.body.{SIGNATURE}\n",
        "database-password": "opensesame",
        "gateway.log": "ready\n",
        "var/log/1/checkpoint": "c",
        "var/objects/ab/abcd": "o",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="ascii")
    return tmp_path


def holds(folder: Path, answer: Answer = Answer(names=["brand"], rows=[])) -> bool:  # noqa: B008 -- frozen
    return leaks.nothing_secret(FakeStage(folder=folder, port=1, agents=("support-agent",), answer=answer)).holds


def test_it_holds_when_nothing_secret_was_written(folder: Path) -> None:
    assert holds(folder)


@pytest.mark.parametrize("name", ["gateway.log", "var/objects/ab/abcd"])
@pytest.mark.parametrize("secret", ["5555555555554444", SIGNATURE, "opensesame"])
def test_a_secret_is_found_wherever_it_stands(folder: Path, name: str, secret: str) -> None:
    (folder / name).write_text(f"x{secret}y", encoding="ascii")
    assert not holds(folder)


def test_nothing_written_or_nothing_sent_is_no_proof(folder: Path) -> None:
    assert not holds(folder, Answer(sqlstate="42501", error="ERROR: no"))
    (folder / "var/objects/ab/abcd").unlink()
    (folder / "var/log/1/checkpoint").unlink()
    assert not holds(folder)


def test_a_file_that_gets_its_name_meanwhile_is_searched_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished, read = folder / "var/objects/ab/.abcf.part", Path.read_bytes
    unfinished.write_bytes(b"5555555555554444")

    def renamed_before(path: Path) -> bytes:
        if path == unfinished:
            unfinished.rename(folder / "var/objects/ab/abcf")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", renamed_before)
    assert not holds(folder)
