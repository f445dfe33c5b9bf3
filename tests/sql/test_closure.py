"""Labels travel along every edge, stay where nothing proves that they need not, and stop where the site says so."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.site import Posture
from gateway.sql.catalog import build_catalog
from gateway.sql.closure import Edge, made_of, reachable, relatives, spread
from gateway.sql.rows import Row
from tests.sql.payments import catalog, rows
from tests.support.rules import case_posture

places = st.tuples(st.integers(1, 4), st.integers(1, 3))
edges = st.lists(st.tuples(places, places).map(lambda pair: Edge(*pair)), max_size=12)


@given(edges, places)
def test_a_label_reaches_exactly_what_a_path_reaches(drawn: list[Edge], start: tuple[int, int]) -> None:
    found = spread({start: frozenset({"pan"})}, frozenset(), drawn)
    expected, grew = {start}, True
    while grew:
        before = len(expected)
        expected |= {edge.target for edge in drawn if edge.source in expected}
        grew = len(expected) > before
    assert set(found) == expected


def test_the_tail_of_a_card_number_may_be_shown_and_the_tail_of_anything_else_not() -> None:
    edge = Edge((1, 1), (2, 1), tail=True)
    assert spread({(1, 1): frozenset({"pan"})}, frozenset(), [edge]) == {(1, 1): {"pan"}}
    assert spread({(1, 1): frozenset({"cvv", "pan"})}, frozenset(), [edge])[2, 1] == {"cvv"}


def test_what_is_made_of_a_number_is_not_the_number() -> None:
    labels = {(1, 1): frozenset({"pan"}), (2, 1): frozenset({"pan"}), (3, 1): frozenset({"pan"})}
    drawn = [Edge((1, 1), (2, 1), exact=False), Edge((2, 1), (3, 1)), Edge((9, 9), (8, 8), exact=False)]
    assert made_of(labels, frozenset(), drawn) == {(2, 1), (3, 1)}
    overruled = [Edge((1, 1), (2, 1), derived=True, exact=False)]
    assert made_of(labels, frozenset({(2, 1)}), overruled) == frozenset()


def test_reachability_ends_in_circles() -> None:
    assert reachable(1, {1: [2], 2: [3], 3: [1]}) == {2, 3}


def view(sql: str, columns: int = 1) -> dict[str, list[Row]]:
    """The rows of a schema with one more view, `v`, over `public.cards`."""
    found = {name: list(part) for name, part in rows().items()}
    cards = next(row[0] for row in found["relations"] if row[1:3] == ("public", "cards"))
    found["relations"].append(("90001", "public", "v", "v", "f", "f"))
    found["columns"] += [("90001", str(n + 1), f"c{n + 1}", "text", "25", "f", "", "f") for n in range(columns)]
    found["views"].append(("90001", sql))
    found["reads"].append(("90001", cards))
    return found


def shown(sql: str, columns: int = 1) -> list[tuple[tuple[str, ...], bool]]:
    relation = build_catalog(view(sql, columns), case_posture()).relations[90001]
    return [(column.labels, column.exact) for column in relation.columns]


def test_a_views_columns_have_the_labels_of_what_they_name() -> None:
    sql = 'SELECT c.brand, c.pan, (c.pan)::text, lower(c.pan), "right"(c.pan, 4), c.pan || c.cvv FROM public.cards c'
    assert shown(sql, 6) == [
        ((), True), (("pan",), True), (("pan",), True), (("pan",), False), ((), True), (("cvv", "pan"), False),
    ]  # fmt: skip


def test_a_view_that_is_not_understood_shows_everything_it_reads() -> None:
    assert shown("SELECT c.* FROM public.cards c") == [(("cvv", "pan"), False)]
    assert shown("SELEC") == [(("cvv", "pan"), False)]
    assert shown("SELECT 1, 2 FROM public.cards") == [(("cvv", "pan"), False)]


def test_keys_carry_labels_both_ways() -> None:
    found = {name: list(part) for name, part in rows().items()}
    cards = next(row[0] for row in found["relations"] if row[1:3] == ("public", "cards"))
    notes = next(row[0] for row in found["relations"] if row[1:3] == ("public", "notes"))
    pan = next(row[1] for row in found["columns"] if row[0] == cards and row[2] == "pan")
    for pair in ((cards, notes, pan, "2"), (notes, cards, "2", pan)):
        extended = {**found, "foreign_keys": [*found["foreign_keys"], (*pair, "a", "a")]}
        body = build_catalog(extended, case_posture()).relations[int(notes or 0)].column("body")
        assert body is not None
        assert body.labels == ("pan",)


def test_relatives_share_rows() -> None:
    catalog = build_catalog(rows(), Posture(filtered=("public.card_parts",)))
    by_name = {relation.qualified: relation for relation in catalog.relations.values()}
    parent, child = by_name["public.card_parts"], by_name["public.card_parts_2024"]
    assert child.relatives == (parent.oid,)
    assert relatives({parent.oid: parent}, frozenset({parent.oid}), {}) == {}


def oid_of(name: str) -> str:
    return str(catalog().relation_names["public", name])


def extended(**more: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows of the schema, and some more."""
    return {name: [*part, *more.get(name, ())] for name, part in rows().items()}


def labels_of(read: dict[str, list[Row]], name: str, posture: Posture | None = None) -> dict[str, tuple[str, ...]]:
    built = build_catalog(read, posture or case_posture())
    columns = built.relations[built.relation_names["public", name]].columns
    return {column.name: column.labels for column in columns if column.labels}


def test_a_parent_shows_what_its_child_holds() -> None:
    child = [("90002", "public", "child", "r", "f", "f")]
    columns: list[Row] = [("90002", "1", "body", "text", "25", "f", "", "f")]
    more = extended(relations=child, columns=columns, inherits=[("90002", oid_of("notes"))])
    labels: dict[str, dict[str, tuple[str, ...]]] = {"public.child": {"body": ("pan",)}}
    assert labels_of(more, "notes", Posture(labels=labels)) == {"body": ("pan",)}
    assert labels_of(more, "child", Posture(labels={"public.notes": {"body": ("pan",)}})) == {"body": ("pan",)}


def test_a_generated_column_shows_what_its_expression_names() -> None:
    columns: list[Row] = [(oid_of("cards"), "99", "shadow", "text", "25", "f", "s", "f")]
    for expression in ("reverse(pan)", "nosuch(c.*)"):
        more = extended(columns=columns, generated=[(oid_of("cards"), "99", expression)])
        assert "pan" in labels_of(more, "cards")["shadow"]


def test_a_column_of_a_row_type_shows_the_row() -> None:
    row_type = next(kind.oid for kind in catalog().types.values() if kind.relation == int(oid_of("cards")))
    columns: list[Row] = [(oid_of("notes"), "99", "held", "cards", str(row_type), "f", "", "f")]
    assert labels_of(extended(columns=columns), "notes") == {"held": ("cvv", "pan")}


def test_a_foreign_table_shows_the_relation_its_options_name() -> None:
    foreign = [("90003", "public", "far", "f", "f", "f")]
    columns: list[Row] = [("90003", "1", "number", "text", "25", "f", "", "f")]
    options: list[Row] = [("90003", "schema_name", "public"), ("90003", "table_name", "cards")]
    more = extended(relations=foreign, columns=columns, foreign=options, foreign_columns=[("90003", "1", "pan")])
    assert labels_of(more, "far") == {"number": ("pan",)}


def test_code_that_runs_where_a_foreign_key_cascades_to_is_known() -> None:
    key: list[Row] = [(oid_of("orders"), oid_of("notes"), "1", "1", "a", "c")]
    trigger: list[Row] = [(oid_of("orders"), "spy", "8")]
    built = build_catalog(extended(foreign_keys=key, triggers=trigger), case_posture())
    assert ("public.orders", "spy") in {
        (found.relation, found.name) for found in built.relations[int(oid_of("notes"))].runs
    }
