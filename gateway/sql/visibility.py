"""How each column of a relation may be seen by this statement: raw, or through a method.

A labelled column is raw only when the statement names it, so that policy was asked about it, and policy left it
unmasked. A labelled column nobody was asked about is NULL.
"""

from collections.abc import Iterable, Iterator

import msgspec

from gateway.core.errors import Refused
from gateway.core.statement import Column
from gateway.core.verdict import Mask, Obligations
from gateway.sql.catalog import Catalog
from gateway.sql.masks import ALWAYS_NULL
from gateway.sql.objects import ColumnInfo, RelationInfo

_UNASKED = "null"


class Visibility(msgspec.Struct, frozen=True, kw_only=True):
    """The decision's masks, by place in the catalog."""

    methods: dict[tuple[int, int], str]
    """(relation OID, attnum) → method policy asks for"""
    asked: frozenset[tuple[int, int]]
    """places the statement names, of which policy knew"""

    def method(self, relation: RelationInfo, column: ColumnInfo) -> str | None:
        """The method a column is shown through; None when it is shown as it is."""
        place = (relation.oid, column.attnum)
        if ALWAYS_NULL.intersection(column.labels):
            return _UNASKED
        if place in self.methods:
            return self.methods[place]
        return _UNASKED if column.labels and place not in self.asked else None

    def masked(self, relation: RelationInfo) -> tuple[Mask, ...]:
        """Every column of a relation that is not shown as it is."""
        return tuple(
            Mask(schema=relation.schema, relation=relation.name, column=column.name, method=method)
            for column in relation.columns
            if (method := self.method(relation, column)) is not None
        )

    def concerns(self, relation: RelationInfo) -> bool:
        """Some column of it is not shown as it is."""
        return any(self.method(relation, column) is not None for column in relation.columns)

    def cleared(self, catalog: Catalog) -> frozenset[tuple[int, int]]:
        """Protected places that may arrive as they are."""
        return frozenset(
            place
            for place in self.asked - self.methods.keys()
            if not ALWAYS_NULL.intersection(catalog.protected.get(place, ("",))) and place in catalog.protected
        )


def visibility(columns: Iterable[Column], obligations: Obligations, catalog: Catalog) -> Visibility:
    """Put names to places. Raises Refused for a mask on what the database does not have."""
    methods: dict[tuple[int, int], str] = {}
    for wanted in obligations.masks:
        place = next(_places(catalog, wanted.schema, wanted.relation, wanted.column), None)
        if place is None:
            raise Refused("obligation.unsupported", f"a mask on {wanted.schema}.{wanted.relation}.{wanted.column}")
        methods[place] = wanted.method
    asked = {place for named in columns for place in _places(catalog, named.schema, named.relation, named.name)}
    return Visibility(methods=methods, asked=frozenset(asked))


def _places(catalog: Catalog, schema: str, relation: str, column: str) -> Iterator[tuple[int, int]]:
    oid = catalog.relation_names.get((schema, relation))
    found = catalog.relations[oid].column(column) if oid is not None else None
    if oid is not None and found is not None:
        yield oid, found.attnum
