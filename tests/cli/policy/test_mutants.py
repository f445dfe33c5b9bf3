"""How rules are spoiled."""

from pathlib import Path

from gateway.cli.policy.mutants import mutants

ROOT = Path(__file__).resolve().parents[3]
SOURCE = """\
package a

import data.b

default covered := false

covered if one

covered if {
	some x in input.list
	not x == "}"
	every y in x {
		y > 1
	}
	z := [
		1,
	]
	f(z)
}

table := {
	"a": 1,
}
"""


def made() -> list[tuple[int, str, str]]:
    return [(each.line, each.what, each.text) for each in mutants("a.rego", SOURCE)]


def test_each_statement_is_dropped_and_what_can_be_is_negated() -> None:
    assert made() == [
        (7, "left out", "covered if one"),
        (7, "dropped", "covered if one"),
        (7, "negated", "covered if one"),
        (9, "left out", "covered if {"),
        (10, "dropped", "some x in input.list"),
        (11, "dropped", 'not x == "}"'),
        (11, "negated", 'not x == "}"'),
        (12, "dropped", "every y in x {"),
        (13, "dropped", "y > 1"),
        (13, "negated", "y > 1"),
        (15, "dropped", "z := ["),
        (18, "dropped", "f(z)"),
        (18, "negated", "f(z)"),
        (21, "left out", "table := {"),
    ]


def test_a_mutant_is_the_module_with_one_thing_otherwise() -> None:
    by_name = {(each.line, each.what): each.source for each in mutants("a.rego", SOURCE)}
    assert by_name[7, "negated"] == SOURCE.replace("covered if one", "covered if not one")
    assert by_name[11, "negated"] == SOURCE.replace('not x == "}"', 'x == "}"')
    assert by_name[15, "dropped"] == SOURCE.replace("\tz := [\n\t\t1,\n\t]\n", "")


def test_names_do_not_move_with_their_lines() -> None:
    later = {each.name for each in mutants("a.rego", SOURCE.replace("import data.b\n", "import data.b\n\n# why\n"))}
    assert later == {each.name for each in mutants("a.rego", SOURCE)}


def test_every_rule_of_the_release_has_mutants() -> None:
    for path in (ROOT / "policies/gateway").rglob("*.rego"):
        heads = [line for line in path.read_text().splitlines() if line[:1].isalpha()]
        rules = [line for line in heads if not line.startswith(("package ", "import ", "default "))]
        left_out = [each for each in mutants(path.name, path.read_text()) if each.what == "left out"]
        assert len(left_out) == len(rules), path
