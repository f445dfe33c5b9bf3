"""YAML is read strictly: each value knows its line, nothing is read in two ways, nothing grows without end."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.document import MAX_DEPTH, MAX_VALUES, Document, shown


def problems(text: str) -> list[tuple[int, str]]:
    return [(line, said) for line, said in Document(text).problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("22:30", "22:30"),
        ("2024-01-01", "2024-01-01"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("true", True),
        ("True", True),
        ("yes", "yes"),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ("=", "="),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: object) -> None:
    document = Document(text)
    assert document.problems == []
    assert document.value == value
    assert type(document.value) is type(value)


def test_every_value_and_key_knows_its_line() -> None:
    document = Document("a: 1\nb:\n  - x\n  - c:\n      2\n")
    assert document.value == {"a": 1, "b": ["x", {"c": 2}]}
    assert document.line(("b", 1, "c")) == 5
    assert document.key_line(("b", 1, "c")) == 4
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 7, "nowhere")) == 3  # the list itself
    assert document.line(("nowhere",)) == 1


def test_a_key_said_twice_is_refused_with_both_lines() -> None:
    assert problems("a: 1\nb: 2\na: 3\n") == [(3, "a is said twice; the first time in line 1")]


def test_anchors_aliases_and_merges_are_read() -> None:
    document = Document("base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree: {<<: [{z: 1}, *b], x: 9}\n")
    assert document.problems == []
    assert document.value == {
        "base": {"x": 1, "y": 2},
        "one": {"x": 1, "y": 2},
        "two": {"x": 1, "y": 3},
        "three": {"x": 9, "y": 2, "z": 1},
    }


@pytest.mark.parametrize("text", ["{<<: 1}", "{<<: [1]}", "<<: text"])
def test_a_merge_takes_mappings_only(text: str) -> None:
    assert "<<" in problems(text)[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "a: !secret x",
        "a: !!int 'abc'",
        "a: !!bool maybe",
        "a: !!python/object/apply:os.system ['true']",
        "a: !vault {env: X}",
        "a: !!set {x}",
        "a: ! x",
        "a: !!binary aGk=",
        "!key a: x",
        "a: &anchor !late x",
        "!<tag:yaml.org,2002:str> a: 1",
    ],
)
def test_a_tag_is_refused_wherever_it_stands(text: str) -> None:
    assert problems(text) == [(1, "tags (!name) are not read here")]


def test_other_things_are_found_beside_a_tag() -> None:
    assert problems("a: !x 1\nb: 1\nb: 2\n") == [
        (1, "tags (!name) are not read here"),
        (3, "b is said twice; the first time in line 2"),
    ]


def laughs(entry: str, levels: int = 12) -> str:
    """Each level ten times the one before."""
    lines = ["l0: &l0 {a: 1}"]
    lines += [f"l{n}: &l{n} " + entry.format(", ".join([f"*l{n - 1}"] * 10)) for n in range(1, levels)]
    return "\n".join(lines)


ENDLESS = "the document is too deep or too large, or an alias makes it endless"


@pytest.mark.parametrize(
    "text",
    [
        laughs("[{}]"),
        laughs("{{<<: [{}]}}"),
        "a: &a [*a]",
        "a: &a {b: *a}",
        "a: &a {<<: *a}",
        "a: &a {<<: [{<<: *a}]}",
        "&a [*a, *a, *a]",
        "[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2),
        "x:\n" + "".join(f"- {number}\n" for number in range(MAX_VALUES + 1)),
    ],
)
def test_what_grows_without_end_is_refused_once(text: str) -> None:
    assert [said for _, said in problems(text)] == [ENDLESS]


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a\n" * 3000 + "b", "{" * 20000])
def test_what_is_too_deep_for_the_parser_is_a_problem_and_not_a_crash(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [1\n", 3), ("a: 1\n\tb: 2\n", 2), ("a: *nowhere\n", 1), ("a: 1\n---\nb: 2\n", 2), ("a: \x01\n", 1)],
)
def test_what_is_no_yaml_is_told_with_its_line(text: str, line: int) -> None:
    ((found, said),) = problems(text)
    assert found == line
    assert said.startswith("not YAML: ")


@pytest.mark.parametrize("text", ['a: "x\\0y"', '"x\\0": 1', 'a: "\\ud800"', '"\\udfff": 1'])
def test_what_no_file_or_name_can_hold_is_refused(text: str) -> None:
    assert problems(text) == [(1, "a NUL or half a character stands here")]


@pytest.mark.parametrize("text", ["[a]: 1", "{a: 1}: 2", "? [x, y]\n: z"])
def test_a_key_is_text(text: str) -> None:
    assert problems(text) == [(1, "a key is not text")]


plain = st.recursive(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"))
    | st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcxyz_-", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(value=plain)
def test_what_another_writer_wrote_is_read_back_as_it_was(value: object) -> None:
    document = Document(yaml.safe_dump(value, allow_unicode=False))
    assert document.problems == []
    assert document.value == value


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused_but_never_crashes(text: str) -> None:
    document = Document(text)
    for line, said in document.problems:
        assert line >= 1
        assert said


@given(text=st.text(max_size=200))
def test_a_key_in_a_message_is_short_and_on_one_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 40
