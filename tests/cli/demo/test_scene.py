"""What the tour prints is text, whatever the database put into it."""

import io

from rich.console import Console

from gateway.cli.demo.scene import Scene, indented, show, table


def printed(scene: Scene) -> str:
    output = io.StringIO()
    show(Console(file=output, width=200), 3, scene)
    return output.getvalue()


def test_a_scene_says_what_was_sent_what_came_and_what_it_proves() -> None:
    scene = Scene(title="Allowed", who="agent", sent="SELECT 1", came="1", claim="a thing is so", holds=True)
    assert [line.strip() for line in printed(scene).split("\n") if line] == [
        "3. Allowed",
        "agent> SELECT 1",
        "1",
        "proved: a thing is so",
    ]


def test_a_claim_that_does_not_hold_is_never_called_proved() -> None:
    text = printed(Scene(title="Denied", sent="x", came="", claim="a thing is so", holds=False))
    assert "NOT PROVED: a thing is so" in text
    assert "   proved" not in text


def test_markup_and_control_characters_are_shown_and_not_obeyed() -> None:
    text = printed(Scene(title="t", sent="[bold]x[/bold]", came="a\x1b[31mb", claim="c", holds=True))
    assert "[bold]x[/bold]" in text
    assert "\x1b" not in text


def test_every_line_is_indented() -> None:
    assert indented("a\nb\n") == "   a\n   b"


def test_null_is_not_an_empty_text() -> None:
    assert table(["id", "cvv"], [(1, None), (2, "")]).split("\n") == ["id | cvv", "---+----", "1  | ∅", "2  |"]
