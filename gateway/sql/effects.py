"""What a statement does to its session, and the settings it touches."""

from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.site import Posture
from gateway.core.statement import Hazard
from gateway.sql import model
from gateway.sql.kinds import DCL, DDL, kind_of
from gateway.sql.paths import path_set_by
from gateway.sql.reader import Reading
from gateway.sql.tree import names, unwrap

SAID: Final = frozenset({"querywarden.purpose", "querywarden.ticket", "querywarden.reason"})
PINNED: Final[dict[str, frozenset[str]]] = {
    "search_path": frozenset(),
    "standard_conforming_strings": frozenset({"on", "true", "1"}),
    "client_encoding": frozenset({"utf8", "utf-8", "unicode"}),
    "row_security": frozenset({"on", "off"}),  # off: an error where a policy would hide rows
    "role": frozenset({"none"}),
    "session_authorization": frozenset({"default"}),
    "session_replication_role": frozenset({"origin"}),
    "backslash_quote": frozenset({"safe_encoding"}),
    "transform_null_equals": frozenset({"off"}),
    "array_nulls": frozenset({"on"}),
    "local_preload_libraries": frozenset(),
    "session_preload_libraries": frozenset(),
    "dynamic_library_path": frozenset(),
    "default_table_access_method": frozenset(),
    "xmloption": frozenset({"content"}),
}
"""Settings that decide what a text means, and the values they may be set to because they have them already."""
_PINNED_ALWAYS: Final = frozenset({"role", "session_authorization", "client_encoding", "standard_conforming_strings"})
"""In open posture too: who the session is, and how its bytes are read as SQL"""
_OF_ONE_TABLE: Final = frozenset({"target_list", "from_clause", "where_clause", "limit_option", "op"})
_CHARACTERISTICS: Final = {"TRANSACTION": "", "SESSION CHARACTERISTICS": "default_"}
"""What SET MULTI is called → what stands in front of the names of its settings"""


def effect_of(tree: Message) -> model.Effect:  # noqa: C901, PLR0911  one line a statement
    """What the session has to mirror once the server is done with the statement."""
    match tree:
        case pb.TransactionStmt():
            return model.Begin()
        case pb.PrepareStmt():
            return model.Prepare(tree.name)
        case pb.ExecuteStmt():
            return model.Execute(tree.name)
        case pb.DeallocateStmt():
            return model.Deallocate(None if tree.isall or not tree.name else tree.name)
        case pb.DeclareCursorStmt():
            return model.Declare(tree.portalname)
        case pb.FetchStmt():
            return model.Fetch(tree.portalname)
        case pb.ClosePortalStmt():
            return model.CloseCursor(tree.portalname or None)
        case pb.DiscardStmt() if tree.target == pb.DISCARD_ALL:
            return model.Discard()
        case pb.VariableSetStmt() if tree.name.lower() in SAID:
            return model.Say(tree.name.lower().partition(".")[2], literal(tree) or "")
        case pb.VariableSetStmt() | pb.SelectStmt() if (path := path_set_by(tree)) is not None:
            return path
        case _:
            return model.ChangeSchema() if kind_of(tree).category in {DDL, DCL} else None


def literal(tree: pb.VariableSetStmt) -> str | None:
    """The value of a SET when it is one plain literal."""
    if len(tree.args) != 1:
        return None
    constant = unwrap(tree.args[0])
    if not isinstance(constant, pb.A_Const):
        return None
    return _plain(constant)


def _plain(constant: pb.A_Const) -> str | None:
    if constant.HasField("sval"):
        return constant.sval.sval
    if constant.HasField("ival"):
        return str(constant.ival.ival)
    if constant.HasField("boolval"):
        return "on" if constant.boolval.boolval else "off"
    return constant.fval.fval if constant.HasField("fval") else None


def settings_of(reading: Reading, posture: Posture) -> tuple[str, ...]:
    """Names of the settings a statement reads or changes; what is pinned or not plain becomes a hazard."""
    found: set[str] = set()
    for node in reading.nodes:
        match node:
            case pb.VariableSetStmt():
                found |= _set(node, reading, posture)
            case pb.VariableShowStmt():
                found.add(node.name.lower())
            case pb.FuncCall() if names(node.funcname)[-1:] == ("set_config",):
                found.add(_set_config(node, reading, posture))
            case _:
                continue
    return tuple(sorted(found - {""}))


def _set(node: pb.VariableSetStmt, reading: Reading, posture: Posture) -> set[str]:
    if node.kind == pb.VAR_SET_MULTI and node.name in _CHARACTERISTICS:
        return {_CHARACTERISTICS[node.name] + option.def_elem.defname for option in node.args}
    name = node.name.lower()
    if node.kind == pb.VAR_RESET_ALL:
        return {"all"}
    if node.kind in {pb.VAR_SET_VALUE, pb.VAR_SET_CURRENT}:
        values = [unwrap(argument) for argument in node.args]
        if not all(isinstance(value, pb.A_Const | pb.TypeCast) for value in values) or not values:
            reading.hazards.add(Hazard(code="setting.not_literal", detail=name))
        _check_pinned(name, literal(node), reading, posture)
    return {name}


def _set_config(node: pb.FuncCall, reading: Reading, posture: Posture) -> str:
    arguments = [unwrap(argument) for argument in node.args]
    plain = [_plain(argument) if isinstance(argument, pb.A_Const) else None for argument in arguments]
    if plain[:1] == [None]:
        plain[:1] = [named_in_pg_settings(reading.nodes[0], node)]
    if not plain or plain[0] is None:
        reading.hazards.add(Hazard(code="setting.not_literal", detail="set_config"))
        return "set_config"
    name = plain[0].lower()
    _check_pinned(name, plain[1] if len(plain) > 1 else None, reading, posture)
    return name


def named_in_pg_settings(root: Message, call: pb.FuncCall) -> str | None:
    """The setting of `SELECT set_config(name, '…', …) FROM pg_settings WHERE name = '…'`, as pg_dump changes one.

    It does so only where the server has that setting. None for anything else than exactly that.
    """
    if not isinstance(root, pb.SelectStmt) or {field.name for field, _ in root.ListFields()} - _OF_ONE_TABLE:
        return None
    source, where = [unwrap(item) for item in root.from_clause], unwrap(root.where_clause)
    if len(source) != 1 or not isinstance(source[0], pb.RangeVar) or source[0].relname != "pg_settings":
        return None
    if source[0].schemaname not in {"", "pg_catalog"} or len(root.target_list) != 1:
        return None
    if unwrap(root.target_list[0].res_target.val) != call or not isinstance(where, pb.A_Expr):
        return None
    first, left, right = unwrap(call.args[0]), unwrap(where.lexpr), unwrap(where.rexpr)
    plain = all(isinstance(side, pb.ColumnRef) and names(side.fields) == ("name",) for side in (first, left))
    equal = where.kind == pb.AEXPR_OP and names(where.name) == ("=",)
    return _plain(right) if plain and equal and isinstance(right, pb.A_Const) else None


def _check_pinned(name: str, value: str | None, reading: Reading, posture: Posture) -> None:
    allowed = PINNED.get(name)
    if allowed is None or (value is not None and value.lower() in allowed):
        return
    if name == "search_path" and path_set_by(reading.nodes[0]) is not None:
        return  # the session follows it
    if posture.guarded or name in _PINNED_ALWAYS:
        reading.hazards.add(Hazard(code="setting.pinned", detail=name))
