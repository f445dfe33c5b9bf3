"""Relations that a command names by a list of words instead of a reference: DROP, COMMENT, OWNED BY."""

from collections.abc import Iterator
from typing import Final, TypeAlias

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.sql.tree import children, names

Words: TypeAlias = tuple[str, ...]
_WHOLE: Final = frozenset(
    {pb.OBJECT_TABLE, pb.OBJECT_VIEW, pb.OBJECT_MATVIEW, pb.OBJECT_FOREIGN_TABLE, pb.OBJECT_SEQUENCE}
)
_PARTS: Final = frozenset(
    {pb.OBJECT_COLUMN, pb.OBJECT_TRIGGER, pb.OBJECT_RULE, pb.OBJECT_POLICY, pb.OBJECT_TABCONSTRAINT}
)
"""What is named behind the relation it belongs to"""


def worded(node: Message) -> Iterator[Words]:
    """The (folded) names of relations one node names by words."""
    match node:
        case pb.DropStmt():
            for item in node.objects:
                yield from _relation(node.remove_type, names(item.list.items))
        case pb.CommentStmt() | pb.SecLabelStmt():
            yield from _relation(node.objtype, names(node.object.list.items))
        case pb.CreateSeqStmt() | pb.AlterSeqStmt():
            for _, option in children(node):
                if isinstance(option, pb.DefElem) and option.defname == "owned_by":
                    yield from _relation(pb.OBJECT_COLUMN, names(option.arg.list.items))
        case _:
            return


def _relation(kind: int, words: Words) -> Iterator[Words]:
    if kind in _PARTS:
        words = words[:-1]
    if words and kind in _WHOLE | _PARTS:
        yield words
