"""A scene holds when the gateway behaves, and does not when it passes, masks or denies otherwise."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.cli.demo import tour
from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Answer, Stage

DENIED = Answer(sqlstate="42501", error="ERROR: no")
BAD_LOGIN = Answer(sqlstate="28000", error="FATAL: no")
GOOD: Mapping[str, Answer] = {
    "SELECT id, name": Answer(
        names=["id", "name", "country"],
        rows=[(1, "Ada Brandt", "DE"), (2, "Ben Okafor", "NG"), (3, "Chiara Rossi", "IT")],
    ),
    "SELECT id, brand": Answer(
        names=["id", "brand", "pan", "cvv"],
        rows=[(1, "visa", "************1111", None), (2, "amex", "************0005", None)],
    ),
    "SELECT reverse": Answer(
        names=["backwards", "guess"], rows=[("1111************", False), ("5000************", False)]
    ),
    "SELECT pan": Answer(names=["pan", "cvv"], rows=[("4111111111111111", None)]),
    "DROP": DENIED,
    "SELECT count": Answer(names=["count"], rows=[(48,)]),
    "SELECT name": DENIED,
    "SELECT 1": BAD_LOGIN,
    "SELECT id, note": Answer(names=["id", "note"], rows=[(7, "customer rang, charge **** **** **** **** instead")]),
}


def rows(*lines: tuple[object, ...]) -> Answer:
    """An answer of rows, under any names."""
    return Answer(names=[f"c{number}" for number in range(len(lines[0]))], rows=list(lines))


class FakeStage(Stage, frozen=True, kw_only=True):
    """Answers by how a statement begins."""

    answers: dict[str, Answer]

    def ask_with(self, token: str, *statements: str) -> Answer:
        assert token
        return next(answer for start, answer in self.answers.items() if statements[-1].startswith(start))


def played(tmp_path: Path, **wrong: Answer) -> dict[str, bool]:
    (tmp_path / "tokens").mkdir(exist_ok=True)
    for agent in (tour.SUPPORT, tour.FRAUD, tour.INTERN):
        (tmp_path / "tokens" / agent).write_text("head.body.signature", encoding="ascii")
    stage = FakeStage(folder=tmp_path, port=1, agents=(), answers={**GOOD, **wrong})
    return {scene.title: scene.holds for scene in tour.play(stage)}


def test_every_scene_holds_when_the_gateway_does_what_it_should(tmp_path: Path) -> None:
    scenes = played(tmp_path)
    assert len(scenes) == len(tour.SCENES)
    assert all(scenes.values())


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("SELECT id, name", DENIED),
        ("SELECT id, brand", rows((1, "visa", "4111111111111111", None), (2, "amex", "378282246310005", None))),
        ("SELECT id, brand", rows((1, "visa", "************1111", "123"), (2, "amex", "************0005", "1234"))),
        ("SELECT reverse", rows(("1111111111111114", False), ("500013642828", False))),
        ("SELECT reverse", rows(("1111************", True), ("5000************", False))),
        ("SELECT pan", rows(("************1111", None))),
        ("SELECT pan", rows(("4111111111111111", "123"))),
        ("DROP", Answer()),
        ("SELECT count", DENIED),
        ("SELECT name", rows(("Ada Brandt",))),
        ("SELECT 1", rows((1,))),
        ("SELECT id, note", rows((7, "customer rang, charge 4111 1111 1111 1111 instead"))),
        ("SELECT id, note", Answer()),
    ],
)
def test_a_gateway_that_does_otherwise_is_found_out(tmp_path: Path, statement: str, answer: Answer) -> None:
    assert list(played(tmp_path, **{statement: answer}).values()).count(False) == 1


def test_what_is_shown_is_what_came() -> None:
    assert tour.shown(DENIED) == "ERROR: no"
    assert tour.shown(Answer(names=["a"], rows=[(1,)], notices=["masked: a"])).startswith("NOTICE: masked: a\na\n")


def test_scenes_are_values() -> None:
    assert Scene.__struct_config__.frozen
