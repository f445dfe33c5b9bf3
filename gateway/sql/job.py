"""One statement being rewritten: what is known about it, and the edits gathered so far."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.site import Posture
from gateway.core.verdict import Mask, Obligations
from gateway.sql.bindings import bind, entry_of
from gateway.sql.catalog import Catalog
from gateway.sql.edits import Edit
from gateway.sql.masks import mask
from gateway.sql.model import Entry, Named, Reference, Understood
from gateway.sql.objects import RelationInfo
from gateway.sql.places import Places
from gateway.sql.quoting import quote
from gateway.sql.visibility import Visibility


@dataclass(slots=True)
class Job:
    """The working state of one `rewrite`. Nothing in it outlives the call."""

    understood: Understood
    tree: Message
    catalog: Catalog
    posture: Posture
    obligations: Obligations
    visibility: Visibility
    filters: dict[int, str]
    """relation OID → condition of the row filter"""
    places: Places
    edits: list[Edit] = field(default_factory=list)
    spliced: list[tuple[Reference, RelationInfo, str]] = field(default_factory=list)
    """references replaced, and the name each now goes by"""
    masked: set[Mask] = field(default_factory=set)
    predicates: set[Mask] = field(default_factory=set)
    uses_masks: bool = False
    """some expression outside RETURNING sees a masked value"""

    @property
    def nodes(self) -> Sequence[Message]:
        """Every message of the tree but plain values and names, depth first."""
        return self.understood.nodes

    def governed(self, relation: RelationInfo) -> bool:
        """Rows of the relation need care: by its labels or filters, or because policy masks one of its columns."""
        return relation.governed or relation.oid in self.filters or self.visibility.concerns(relation)

    def relation(self, reference: Reference) -> RelationInfo | None:
        """The relation a reference means."""
        return self.catalog.relations.get(reference.oid) if reference.oid is not None else None

    def sources(self) -> Iterator[tuple[Reference, RelationInfo]]:
        """Every place rows of a governed relation are read from."""
        for reference in self.understood.references:
            relation = self.relation(reference)
            if relation is not None and reference.role == "from" and self.governed(relation):
                yield reference, relation

    def reference_at(self, node: pb.RangeVar) -> Reference | None:
        """The reference a RangeVar of the tree made."""
        for reference in self.understood.references:
            at = reference.node
            if isinstance(at, pb.RangeVar) and at.location == node.location:
                return reference
        return None

    def entry(self, reference: Reference) -> Entry | None:
        """The entry a reference made in its level."""
        return entry_of(reference, self.understood.levels)

    def uses(self, entry: Entry) -> Iterator[tuple[Named, str | None]]:
        """Every name that may mean a column of the entry (or, None, all of them)."""
        for named in self.understood.named:
            for binding in bind(named, self.understood.levels):
                if binding.entry is entry:
                    yield named, binding.column

    def shown(self, relation: RelationInfo, qualifier: str = "") -> str:
        """The select list that shows a relation: each column in order, masked ones as their mask under their name."""
        prefix = f"{qualifier}." if qualifier else ""
        parts = []
        for column in relation.columns:
            method = self.visibility.method(relation, column)
            name = quote(column.name)
            parts.append(prefix + name if method is None else f"{mask(column, method, prefix + name)} AS {name}")
        return ", ".join(parts)
