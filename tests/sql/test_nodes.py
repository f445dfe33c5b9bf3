"""Every node type the lists name exists, and what carries code is among the known ones."""

from postgast import pg_query_pb2 as pb

from gateway.sql.nodes import CARRIERS, KNOWN
from tests.sql.payments import hazards


def test_every_listed_node_exists_in_the_grammar() -> None:
    assert {name for name in KNOWN if not hasattr(pb, name)} == set()
    assert CARRIERS <= KNOWN


def test_the_nodes_of_every_statement_of_this_grammar_are_known_or_refused() -> None:
    fields = [field.message_type for field in pb.Node.DESCRIPTOR.fields]
    statements = {kind.name for kind in fields if kind is not None and kind.name.endswith("Stmt")}
    assert statements - KNOWN == {"PLAssignStmt", "RawStmt", "SetOperationStmt"}
    assert hazards("SELECT 1") == []
