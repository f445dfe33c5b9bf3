"""The snapshot: names resolve as the server resolves them, labels are closed over everything that shows them."""
# ruff: noqa: E501 -- a table of statements, one a line

from collections.abc import Sequence

import msgspec
import pytest

from gateway.core.site import Posture
from gateway.sql.catalog import build_catalog, fingerprint
from gateway.sql.model import Scope
from gateway.sql.objects import Kind
from gateway.sql.rows import Row, Rows
from gateway.sql.understand import understand
from tests.sql.payments import catalog, rows
from tests.support.rules import case_posture


def changed(**parts: Sequence[Row]) -> Rows:
    return {**rows(), **parts}


def labels() -> dict[str, tuple[str, ...]]:
    return {
        f"{relation.qualified}.{column.name}": column.labels
        for relation in catalog().relations.values()
        for column in relation.columns
        if column.labels
    }


def test_labels_reach_everything_that_shows_a_labelled_column() -> None:
    assert labels() == {
        "public.cards.pan": ("pan",), "public.cards.cvv": ("cvv",), "archive.cards.acct": ("pan",),
        "public.card_parts.pan": ("pan",), "public.card_parts_2024.pan": ("pan",), "public.num_cards.pan": ("pan",),
        "public.num_cards.pan_num": ("pan",), "public.num_cards.pan_raw": ("pan",), "public.v_cards.account_ref": ("pan",),
        "public.v_cards2.x": ("pan",), "public.mv_cards.n": ("pan",),
    }  # fmt: skip


def test_relatives_are_governed_where_they_show_nothing_protected() -> None:
    governed = {relation.qualified for relation in catalog().relations.values() if relation.governed}
    assert {"public.cards", "public.v_cards", "public.v_safe", "public.card_parts_2024"} <= governed
    assert not {"public.customers", "public.notes", "public.v_order_summary", "pg_catalog.pg_class"} & governed


def test_bare_names_are_looked_for_in_pg_catalog_then_along_the_path() -> None:
    found = catalog()
    for path, name, schema in (
        (("public", "archive"), ("cards",), "public"),
        (("archive", "public"), ("cards",), "archive"),
        (("public",), ("pg_class",), "pg_catalog"),
        (("public", "pg_catalog"), ("pg_class",), "pg_catalog"),
        (("public",), ("archive", "cards"), "archive"),
    ):
        relation = found.resolve(name, path)
        assert relation is not None
        assert relation.schema == schema
    assert found.resolve(("Cards",), ("public",)) is None
    assert found.resolve(("a", "b", "c"), ("public",)) is None


def test_a_schema_that_may_not_be_used_is_passed_over() -> None:
    closed = [(oid, name, "f" if name == "archive" else usable) for oid, name, usable in rows()["schemas"]]
    found = build_catalog(changed(schemas=closed), case_posture())
    relation = found.resolve(("cards",), ("archive", "public"))
    assert relation is not None
    assert relation.schema == "public"
    assert found.resolve(("archive", "cards"), ("public",)) is not None


def test_functions_operators_and_types_are_found_in_search_order() -> None:
    found = catalog()
    assert {f.schema for f in found.lookup_functions(("get_pan",), ("public",))} == {"public"}
    assert found.lookup_functions(("get_pan",), ("archive",)) == ()
    assert [o.schema for o in found.lookup_operators(("####",), ("public",))] == ["public"]
    integer = found.lookup_type(("int8",), ("public",))
    assert integer is not None
    assert (integer.oid, integer.schema) == (20, "pg_catalog")
    assert found.lookup_type(("nosuch",), ("public",)) is None


def test_what_site_data_names_in_vain_is_a_problem() -> None:
    posture = Posture(
        labels={"public.cards": {"nosuch": ("pan",)}, "public.nosuch": {"a": ("pan",)}}, filtered=("public.gone",)
    )
    assert build_catalog(rows(), posture).problems == (
        "classification: public.cards has no column nosuch",
        "classification: there is no relation public.nosuch",
        "row filter: there is no relation public.gone",
    )


def test_a_label_stays_on_its_column_when_somebody_renames_it() -> None:
    renamed = [
        (relation, attnum, "harmless", *rest) if name == "pan" else (relation, attnum, name, *rest)
        for relation, attnum, name, *rest in rows()["columns"]
    ]
    after = build_catalog(changed(columns=renamed), case_posture(), catalog())
    cards = after.resolve(("cards",), ("public",))
    assert cards is not None
    column = cards.column("harmless")
    assert column is not None
    assert column.labels == ("pan",)
    forgetful = build_catalog(changed(columns=renamed), case_posture())
    cards = forgetful.resolve(("cards",), ("public",))
    assert cards is not None
    assert cards.labels == ("cvv",)


def test_the_site_may_overrule_what_a_view_inherits_but_not_what_a_partition_does() -> None:
    posture = case_posture()
    posture = msgspec.structs.replace(
        posture, labels={**posture.labels, "public.v_cards": {"account_ref": ()}, "public.card_parts_2024": {"pan": ()}}
    )
    found = build_catalog(rows(), posture)
    shown = {relation.qualified: relation.labels for relation in found.relations.values()}
    assert shown["public.v_cards"] == shown["public.v_cards2"] == ()
    assert shown["public.card_parts_2024"] == ("pan",)


def test_the_fingerprint_ignores_order_and_sees_content() -> None:
    assert fingerprint(changed(columns=list(reversed(rows()["columns"])))) == fingerprint(rows())
    assert fingerprint(changed(columns=list(rows()["columns"])[1:])) != fingerprint(rows())
    assert build_catalog(rows(), Posture()).sha256 != build_catalog(rows(), case_posture()).sha256


def test_the_last_four_digits_do_not_carry_the_label_of_the_number() -> None:
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    last4 = cards.column("last4")
    assert last4 is not None
    assert (last4.labels, last4.generated) == ((), True)


def test_a_write_that_cascades_into_a_governed_relation_is_known() -> None:
    customers = next(relation for relation in catalog().relations.values() if relation.qualified == "public.customers")
    assert not customers.cascades
    cascading = [(mine, theirs, a, b, update, "n") for mine, theirs, a, b, update, _ in rows()["foreign_keys"]]
    found = build_catalog(changed(foreign_keys=cascading), case_posture())
    assert found.relations[customers.oid].cascades
    assert not found.relations[customers.oid].governed


def test_in_another_encoding_a_name_outside_ascii_that_is_not_known_is_not_trusted() -> None:
    ((version, database, user, _, strings),) = rows()["server"]
    found = build_catalog(changed(server=[(version, database, user, "LATIN1", strings)]), case_posture())
    scope = Scope(search_path=("public",), posture=case_posture())
    (foreign,) = understand("SELECT 1 FROM TÄBLE", found, scope)
    assert [hazard.code for hazard in foreign.statement.hazards] == ["statement.unanalysable"]
    (plain,) = understand("SELECT 1 FROM tables", found, scope)
    assert plain.statement.hazards == ()


def test_hidden_code_of_a_relation_is_known() -> None:
    cards = catalog().resolve(("cards",), ("public",))
    assert cards is not None
    assert [(code.kind, code.name, sorted(code.events), code.governed) for code in cards.runs] == [
        ("trigger", "cards_audit", ["update"], True)
    ]
    assert [column.attnum for column in cards.columns if column.attnum in cards.primary_key] == [1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cards", Kind.TABLE),
        ("v_cards", Kind.VIEW),
        ("mv_cards", Kind.MATVIEW),
        ("card_parts", Kind.PARTITIONED),
        ("card_parts_2024", Kind.PARTITION),
        ("notes_id_seq", Kind.SEQUENCE),
    ],
)
def test_kinds_of_relations_are_told_apart(name: str, kind: Kind) -> None:
    relation = catalog().resolve((name,), ("public",))
    assert relation is not None
    assert relation.kind is kind


def test_another_posture_is_another_snapshot() -> None:
    hashes = {
        build_catalog(rows(), case_posture(**more)).sha256
        for more in ({}, {"write_masked": True}, {"triggers": ("x",)})
    }
    assert len(hashes) == 3
