"""The agent's own application_name, kept on the server under another name: there it names the session for the log.

`application_name` is `qw/<session>` on every upstream connection and stays so: log_line_prefix puts it in front of each
line of the server's log. What the agent sets and reads under that name is the setting `OWN`, whose values, defaults and
transactions are the server's own (PostgreSQL 18, §20.16, customized options). Definitions of objects are left as they
are: whoever uses them may come another way.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final, TypeAlias

import msgspec
from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.blanking import clean_words
from gateway.core.errors import Refused
from gateway.sql.edits import Edit
from gateway.sql.model import Understood
from gateway.sql.places import Places
from gateway.sql.tokens import cut
from gateway.sql.tree import names, unwrap, walk

NAME: Final = "application_name"
OWN: Final = "querywarden.application_name"
HEX_ESCAPES: Final = 160000
"""server_version_num from which characters outside ASCII are shown as `\\xNN`; before, each byte is a `?`"""
_ASKS: Final = frozenset({("current_setting",), ("pg_catalog", "current_setting")})
_TELLS: Final = frozenset({("set_config",), ("pg_catalog", "set_config")})
_BARE: Final = frozenset({"target_list", "limit_option", "op"})
_READ_MAX: Final = 4096
"""characters of a name that are looked at: of those behind none can stay"""
_PLAIN: Final = range(32, 127)
_ARGUMENTS: Final = len(("name", "value", "is_local"))


class Set(msgspec.Struct, frozen=True):
    """A new value; None is the one the session began with. `local`: until the transaction ends."""

    value: str | None
    local: bool = False


class Point(Enum):
    """What a transaction command does to the settings made in the transaction."""

    SAVE = "SAVEPOINT"
    BACK = "ROLLBACK TO"
    RELEASE = "RELEASE"
    COMMIT = "COMMIT"
    ROLLBACK = "ROLLBACK"


class Passed(msgspec.Struct, frozen=True):
    """A transaction command that was carried out; `name` is that of its savepoint."""

    point: Point
    name: str = ""


Move: TypeAlias = Set | Passed
_POINTS: Final = {
    pb.TRANS_STMT_SAVEPOINT: Point.SAVE,
    pb.TRANS_STMT_ROLLBACK_TO: Point.BACK,
    pb.TRANS_STMT_RELEASE: Point.RELEASE,
}
_TAGS: Final = {"COMMIT": Point.COMMIT, "PREPARE TRANSACTION": Point.COMMIT, "ROLLBACK": Point.ROLLBACK}
"""A COMMIT of a failed transaction says ROLLBACK."""


def stored(value: str, version: int) -> str:
    """What a server makes of a name: 63 bytes, ASCII (guc.c, check_application_name).

    Card numbers are blanked first, in every form: what stands between their digits, or is a digit in another script, is
    nothing any more to look for afterwards. `version` is server_version_num.
    """
    raw = cut(clean_words(value[:_READ_MAX])).encode(errors="replace")
    other = "\\x{:02x}" if version >= HEX_ESCAPES else "?"
    return "".join(chr(byte) if byte in _PLAIN else other.format(byte) for byte in raw)


def move_of(tree: Message | None, tag: str, version: int) -> Move | None:
    """What a statement that is done has done to the agent's name; None for nothing, or a value not written out.

    `tag` is that of its CommandComplete.
    """
    match tree:
        case pb.TransactionStmt():
            point = _POINTS.get(tree.kind) or _TAGS.get(tag)
            return None if point is None else Passed(point, tree.savepoint_name)
        case pb.DiscardStmt():
            return Set(None) if tree.target == pb.DISCARD_ALL else None
        case pb.VariableSetStmt(kind=pb.VAR_RESET_ALL):
            return Set(None)
        case pb.VariableSetStmt() if tree.name.lower() == NAME:
            return Set(None if _is_reset(tree) else stored(_literal(tree), version), tree.is_local)
        case pb.SelectStmt():
            return _configured(tree, version)
        case _:
            return None


def is_shown(tree: Message | None) -> bool:
    """Whether a statement is `SHOW application_name`: its column has that name on the server the agent knows."""
    return isinstance(tree, pb.VariableShowStmt) and tree.name.lower() == NAME


def renamed(understood: Understood, places: Places, version: int) -> list[Edit]:
    """What has to change in a text for its `application_name` to be the agent's. Raises Refused."""
    tree, size = understood.tree, len(understood.text.encode())
    match tree:
        case pb.VariableSetStmt() if tree.name.lower() == NAME:
            return [Edit(0, size, _set(tree, version))]
        case pb.VariableShowStmt() if is_shown(tree):
            return [Edit(0, size, f"SHOW {OWN}")]
        case _ if understood.statement.category == "ddl":
            return []
        case _:
            return [] if tree is None else list(_calls(tree, understood.nodes, places, version))


def _is_reset(tree: pb.VariableSetStmt) -> bool:
    return tree.kind in {pb.VAR_RESET, pb.VAR_SET_DEFAULT}


def _set(tree: pb.VariableSetStmt, version: int) -> str:
    if _is_reset(tree):
        return f"SET {'LOCAL ' * tree.is_local}{OWN} TO DEFAULT" if tree.kind == pb.VAR_SET_DEFAULT else f"RESET {OWN}"
    return f"SET {'LOCAL ' * tree.is_local}{OWN} TO {_quoted(stored(_literal(tree), version))}"


def _literal(tree: pb.VariableSetStmt) -> str:
    """The one literal of a SET. Raises Refused for anything else: it must not reach the name of the session."""
    constant = unwrap(tree.args[0]) if tree.kind == pb.VAR_SET_VALUE and len(tree.args) == 1 else None
    value = _text(constant)
    if value is None:
        raise Refused("setting.not_literal", NAME)
    return value


def _text(constant: Message | None) -> str | None:
    if not isinstance(constant, pb.A_Const):
        return None
    match constant.WhichOneof("val"):
        case "sval":
            return constant.sval.sval
        case "ival":
            return str(constant.ival.ival)
        case "fval":
            return constant.fval.fval
        case _:
            return None


def _calls(tree: Message, nodes: Sequence[Message], places: Places, version: int) -> Iterator[Edit]:
    for node in nodes:
        if not isinstance(node, pb.FuncCall) or not node.args:
            continue
        called = names(node.funcname)
        if called not in _ASKS | _TELLS:
            continue
        constant = _constant(node.args[0])
        if called in _TELLS and constant is None:
            _refuse_named_elsewhere(tree)
        if constant is None or constant.sval.sval.lower() != NAME:
            continue
        yield _edit(constant, OWN, places)
        told = _constant(node.args[1]) if called in _TELLS and len(node.args) == _ARGUMENTS else None
        if told is not None and stored(told.sval.sval, version) != told.sval.sval:
            yield _edit(told, stored(told.sval.sval, version), places)


def _refuse_named_elsewhere(tree: Message) -> None:
    """`SELECT set_config(name, …) FROM pg_settings WHERE name = 'application_name'`, the one such form that is read."""
    constants = (node.sval.sval for node in walk(tree) if isinstance(node, pb.A_Const))
    if any(value.lower() == NAME for value in constants):
        raise Refused("setting.not_literal", NAME)


def _constant(argument: Message) -> pb.A_Const | None:
    """A string literal, also under a cast."""
    found = unwrap(argument)
    while isinstance(found, pb.TypeCast):
        found = unwrap(found.arg)
    return found if isinstance(found, pb.A_Const) and found.HasField("sval") else None


def _edit(constant: pb.A_Const, value: str, places: Places) -> Edit:
    token = places.tokens[places.at(constant.location)]
    if token.token != pb.Token.SCONST:
        raise Refused("setting.not_literal", NAME)
    return Edit(token.start, token.end, _quoted(value))


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _configured(tree: pb.SelectStmt, version: int) -> Set | None:
    """`SELECT set_config('application_name', '…', …)`, when that is the whole statement."""
    if {field.name for field, _ in tree.ListFields()} - _BARE or len(tree.target_list) != 1:
        return None
    target = unwrap(tree.target_list[0])
    call = unwrap(target.val) if isinstance(target, pb.ResTarget) else None
    if not isinstance(call, pb.FuncCall) or names(call.funcname) not in _TELLS or len(call.args) != _ARGUMENTS:
        return None
    name, value, local = _constant(call.args[0]), _constant(call.args[1]), unwrap(call.args[2])
    if name is None or value is None or name.sval.sval.lower() != NAME:
        return None
    if not isinstance(local, pb.A_Const) or not local.HasField("boolval"):
        return None
    return Set(stored(value.sval.sval, version), local.boolval.boolval)
