"""Walking libpg_query's trees: every child of a message, with the generic `Node` wrapper taken off."""

from collections.abc import Iterable, Iterator

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

_MESSAGE = FieldDescriptor.TYPE_MESSAGE
STAR = "*"
"""How `A_Star` is written in a list of names; no column can be mistaken for it, see `names`."""


class Star(str):
    """The `*` of a column reference, equal to no name an identifier can spell."""

    __slots__ = ()


def unwrap(node: Message) -> Message:
    """The concrete message in a `Node`; anything else as it is."""
    if isinstance(node, pb.Node):
        held = node.ListFields()  # at most one; every kind of a Node is a message
        return held[0][1] if held else node
    return node


def children(node: Message) -> Iterator[tuple[str, Message]]:
    """(field name, message) of every direct child, unwrapped."""
    for field, value in node.ListFields():
        if field.type != _MESSAGE:
            continue
        if isinstance(value, Message):
            yield field.name, unwrap(value)
        else:
            for item in value:
                yield field.name, unwrap(item)


def walk(node: Message) -> Iterator[Message]:
    """Every message below and including `node`, depth first."""
    stack = [unwrap(node)]
    while stack:
        top = stack.pop()
        yield top
        below: list[Message] = []
        for field, value in top.ListFields():
            if field.type != _MESSAGE:
                continue
            if isinstance(value, Message):
                below.append(unwrap(value))
            else:
                below += map(unwrap, value)
        below.reverse()
        stack += below


def names(fields: Iterable[Message]) -> tuple[str, ...]:
    """The strings of a list of `String` nodes; an `A_Star` becomes `Star`."""
    return tuple(_name(unwrap(field)) for field in fields)


def _name(node: Message) -> str:
    match node:
        case pb.String():
            return node.sval
        case pb.A_Star():
            return Star(STAR)
        case _:
            return ""
