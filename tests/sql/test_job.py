"""The working state of one rewriting."""

from tests.sql.test_proof import job


def test_sources_are_governed_relations_that_are_read() -> None:
    found = job("SELECT 1 FROM cards c, customers, archive.cards a WHERE EXISTS (SELECT 1 FROM v_safe)")
    assert [relation.qualified for _, relation in found.sources()] == ["public.cards", "archive.cards", "public.v_safe"]
    assert list(job("DELETE FROM cards").sources()) == []


def test_a_relation_is_shown_column_by_column_masked_ones_under_their_name() -> None:
    found = job("SELECT acct FROM archive.cards")
    relation = found.catalog.resolve(("archive", "cards"), ())
    assert relation is not None
    assert found.shown(relation, "c").startswith("c.id, CASE WHEN pg_catalog.octet_length(c.acct)")
    assert found.shown(relation).endswith(" AS acct")


def test_uses_of_an_entry_are_found_through_every_name() -> None:
    found = job("SELECT c.id, pan, c FROM cards c WHERE brand = 'x'")
    ((reference, _),) = found.sources()
    entry = found.entry(reference)
    assert entry is not None
    assert [column for _, column in found.uses(entry)] == ["id", "pan", None, "brand"]
    assert found.reference_at(reference.node) is reference  # type: ignore[arg-type]  # a RangeVar
