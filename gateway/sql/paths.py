"""A change of the search path that can be followed: one plain statement whose list of schemas is written out.

What is sent has `pg_temp` behind the list: else temporary relations come first, and hide what names were resolved to
(PostgreSQL 18, §20.11.1, search_path). `"$user"`, `pg_temp` elsewhere and `pg_catalog` behind others are not followed.
"""

import re
from typing import Final

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.errors import Refused
from gateway.sql.edits import Edit, Edited, apply
from gateway.sql.model import SetPath, Understood
from gateway.sql.places import Places
from gateway.sql.quoting import quote
from gateway.sql.tree import names, unwrap

LENGTH_MAX: Final = 63
"""bytes of a name; the server cuts longer ones"""
SCHEMAS_MAX: Final = 64
_CALL: Final = frozenset({("set_config",), ("pg_catalog", "set_config")})
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([A-Za-z_][A-Za-z0-9_$]*))\s*(?:,|\Z)')
_BARE: Final = frozenset({"target_list", "limit_option", "op"})
_ARGUMENTS: Final = len(("name", "value", "is_local"))


def path_set_by(tree: Message) -> SetPath | None:
    """The search path a statement gives its session; None for any other statement, and for one not to be followed."""
    match tree:
        case pb.VariableSetStmt():
            return _of_set(tree)
        case pb.SelectStmt():
            constant = _configured(tree)
            return None if constant is None else _path(_listed(constant.sval.sval))
        case _:
            return None


def pinned_behind(understood: Understood, change: SetPath) -> Edited:
    """The text to send: the same change, with temporary relations behind everything else. Raises Refused."""
    text, tree = understood.text, understood.tree
    raw = text.encode()
    if change.path is None:
        return apply(raw, ())
    value = ", ".join((*map(quote, change.path), "pg_temp"))
    constant = _configured(tree) if isinstance(tree, pb.SelectStmt) else None
    if constant is None:
        return apply(raw, [Edit(0, len(raw), f"SET search_path TO {value}")])
    places = Places(understood.tokens)
    index = places.at(constant.location)
    token = places.tokens[index]
    if token.token != pb.Token.SCONST or places.tokens[index + 1].token != pb.Token.ASCII_44:
        raise Refused("setting.pinned", "search_path")
    escaped = value.replace("'", "''")
    return apply(raw, [Edit(token.start, token.end, f"'{escaped}'")])


def _of_set(tree: pb.VariableSetStmt) -> SetPath | None:
    name = tree.name.lower()
    if tree.kind == pb.VAR_RESET_ALL or (name == "search_path" and tree.kind in {pb.VAR_RESET, pb.VAR_SET_DEFAULT}):
        return None if tree.is_local else SetPath(None)
    if name != "search_path" or tree.kind != pb.VAR_SET_VALUE or tree.is_local:
        return None
    constants = [unwrap(argument) for argument in tree.args]
    listed = [item.sval.sval for item in constants if isinstance(item, pb.A_Const) and item.HasField("sval")]
    return _path(tuple(listed)) if len(listed) == len(constants) else None


def _configured(tree: pb.SelectStmt) -> pb.A_Const | None:
    """The second argument of `SELECT set_config('search_path', '…', false)`, when that is the whole statement."""
    if {field.name for field, _ in tree.ListFields()} - _BARE or len(tree.target_list) != 1:
        return None
    target = unwrap(tree.target_list[0])
    call = unwrap(target.val) if isinstance(target, pb.ResTarget) else None
    if not isinstance(call, pb.FuncCall) or names(call.funcname) not in _CALL or len(call.args) != _ARGUMENTS:
        return None
    if {field.name for field, _ in call.ListFields()} - {"funcname", "args", "location", "funcformat"}:
        return None
    name, value, local = (unwrap(argument) for argument in call.args)
    if not (isinstance(name, pb.A_Const) and isinstance(value, pb.A_Const) and isinstance(local, pb.A_Const)):
        return None
    written = name.sval.sval.lower() == "search_path" and value.HasField("sval") and local.HasField("boolval")
    return value if written and not local.boolval.boolval else None


def _listed(value: str) -> tuple[str, ...] | None:
    """The names of a comma-separated list, folded as the server does; None when it is not plain."""
    if not value.strip():
        return ()
    found, at = [], 0
    while at < len(value) or value[-1:] == ",":
        item = _ITEM.match(value, at)
        if item is None:
            return None
        quoted, plain = item.groups()
        found.append(plain.lower() if plain is not None else quoted.replace('""', '"'))
        at = item.end()
        if at == len(value) and value[at - 1] != ",":
            break
    return tuple(found)


def _path(listed: tuple[str, ...] | None) -> SetPath | None:
    if listed is None or len(listed) > SCHEMAS_MAX:
        return None
    if listed[:1] == ("pg_catalog",):
        listed = listed[1:]
    if listed[-1:] == ("pg_temp",):
        listed = listed[:-1]
    for name in listed:
        if name in {"$user", "pg_catalog"} or name.startswith(("pg_temp", "pg_toast")):
            return None
        if len(name.encode()) > LENGTH_MAX:
            return None
    return SetPath(tuple(name for name in listed if name))
