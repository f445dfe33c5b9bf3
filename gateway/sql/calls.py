"""Functions, operators and casts a statement may run, by the schema they come from.

Built-in operators and casts are not listed. Another one counts when PostgreSQL could choose it (18, §10.2): the same
arguments in an earlier schema hide it, and one over a type of its own needs an operand that can be of that type. An
extension's `=` in `public` does not touch `id = 1`.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from google.protobuf.message import Message
from postgast import pg_query_pb2 as pb

from gateway.core.statement import Function
from gateway.sql.catalog import PG_CATALOG, Catalog
from gateway.sql.objects import FunctionInfo, OperatorInfo
from gateway.sql.reader import Call, Reading
from gateway.sql.tree import Star, unwrap

_TEXT = 25
_WITH_OWN_INPUT = frozenset({"b", "d", "r", "m"})
"""kinds of types whose input runs code of theirs: base types, domains, ranges"""


def functions(reading: Reading) -> tuple[Function, ...]:
    """Every call with every schema it could come from; sorted."""
    found: set[Function] = set(_of_views(reading))
    reachable: frozenset[int] | None = None
    outside_of: dict[tuple[str, ...], list[OperatorInfo]] = {}  # long lists repeat a few operators
    for call in reading.calls:
        match call.kind:
            case "function":
                found.update(_functions(reading, call))
            case "syntax":
                found.update(_shown(candidate) for candidate in function_candidates(reading, call))
            case "operator":
                outside = outside_of.get(call.parts)
                if outside is None:
                    found_by_name = _operators(reading, call)
                    outside = [operator for operator in found_by_name if operator.schema != PG_CATALOG]
                    outside_of[call.parts] = outside
                if outside and reachable is None:
                    reachable = _reachable_types(reading)
                found.update(
                    Function(schema=operator.schema, name=operator.name, kind="operator")
                    for operator in outside
                    if _could_be_chosen(reading, call, operator, reachable or frozenset())
                )
            case _:
                found.update(_casts(reading, call))
    return tuple(sorted(found))


def _functions(reading: Reading, call: Call) -> Iterator[Function]:
    candidates = function_candidates(reading, call)
    if not candidates:
        yield Function(schema=call.parts[-2] if len(call.parts) > 1 else "", name=call.parts[-1], kind="function")
    for candidate in candidates:
        yield _shown(candidate)


def _shown(found: FunctionInfo) -> Function:
    kind = found.kind if found.kind in {"aggregate", "procedure"} else "function"
    return Function(schema=found.schema, name=found.name, kind=kind)


def _of_views(reading: Reading) -> Iterator[Function]:
    """What the definitions of views call runs, too: one such function could bring what no label follows."""
    for reference in reading.references:
        relation = reading.catalog.relations.get(reference.oid or 0)
        for name in relation.calls if relation is not None and not relation.system else ():
            yield from _functions(reading, Call(name, "function", reference.node))


def function_candidates(reading: Reading, call: Call) -> list[FunctionInfo]:
    """The overloads a call could mean; of two with the same arguments only the first in the search path."""
    seen: set[tuple[tuple[int, ...], bool]] = set()
    kept = []
    for candidate in reading.catalog.lookup_functions(call.parts[-2:], reading.search_path):
        signature = (candidate.arguments, candidate.variadic)
        if signature not in seen:
            seen.add(signature)
            kept.append(candidate)
    return kept


def _operators(reading: Reading, call: Call) -> Iterator[OperatorInfo]:
    seen: set[tuple[int, int]] = set()
    for candidate in reading.catalog.lookup_operators(call.parts[-2:], reading.search_path):
        if (candidate.left, candidate.right) not in seen:
            seen.add((candidate.left, candidate.right))
            yield candidate


class _Fit(Enum):
    """Whether an operand can be of a type."""

    NO = "no"
    LITERAL = "a literal without a type, which becomes what it has to be"
    YES = "yes"


def _could_be_chosen(reading: Reading, call: Call, operator: OperatorInfo, reachable: frozenset[int]) -> bool:
    operands = _operands(call.node)
    if operands is None or len(operands) != (2 if operator.left else 1):
        return operands is None or bool(operator.left) == (len(operands) > 1)
    types = [operator.left, operator.right] if operator.left else [operator.right]
    own = [(kind, operand) for kind, operand in zip(types, operands, strict=True) if _is_own(reading.catalog, kind)]
    fits = [_fit(reading, kind, operand, reachable) for kind, operand in own]
    if not own or _Fit.YES in fits:
        return _Fit.NO not in fits
    if _Fit.NO in fits:
        return False
    # Literals alone: a string is taken for text where an operator on text of that name is built in (§10.2, step 3e).
    only_literals = len(own) == len(operands)
    built_in = reading.catalog.lookup_operators((PG_CATALOG, operator.name), ())
    return not (only_literals and any({found.left, found.right} <= {0, _TEXT} for found in built_in))


def _operands(node: Message) -> list[Message] | None:
    """Operands of an operator expression; None when they cannot be told apart. A list stands for each of its items."""
    match node:
        case pb.A_Expr() if node.HasField("lexpr"):
            return [unwrap(node.lexpr), unwrap(node.rexpr)]
        case pb.A_Expr():
            return [unwrap(node.rexpr)]
        case pb.CaseExpr():
            return [unwrap(node.arg), pb.List(items=[when.case_when.expr for when in node.args])]
        case pb.JoinExpr() | pb.SubLink():
            return [node, node]  # columns of any type in reach
        case _:
            return None


def _is_own(catalog: Catalog, kind: int) -> bool:
    found = catalog.types.get(kind)
    return found is None or found.schema != PG_CATALOG


def _fit(reading: Reading, kind: int, operand: Message, reachable: frozenset[int]) -> _Fit:
    match operand:
        case pb.A_Const() if operand.isnull or operand.HasField("sval"):
            return _Fit.LITERAL
        case pb.A_Const():
            return _Fit.YES if kind in reading.catalog.implicit_targets else _Fit.NO
        case pb.ParamRef() if not _parameter_type(reading, operand.number):
            return _Fit.LITERAL
        case pb.List():
            fits = [_fit(reading, kind, unwrap(item), reachable) for item in operand.items]
            return next((fit for fit in (_Fit.YES, _Fit.LITERAL) if fit in fits), _Fit.NO)
        case pb.ColumnRef() if (types := _column_types(reading, operand)) is not None:
            return _Fit.YES if any(_becomes(reading.catalog, held, kind) for held in types) else _Fit.NO
        case _:
            return _Fit.YES if kind in reachable else _Fit.NO


def _column_types(reading: Reading, operand: pb.ColumnRef) -> frozenset[int] | None:
    """The type OIDs a plain column may have; None where a name may belong to something that is no relation."""
    named = next((named for named in reading.named if named.start == operand.location), None)
    found: set[int] = set()
    level = reading.levels[named.level] if named is not None else None
    while named is not None and level is not None:
        for entry in level.entries:
            if len(named.parts) > 1 and entry.name != named.parts[-2]:
                continue
            if entry.relation is None or entry.renamed or isinstance(named.parts[-1], Star):
                return None
            column = entry.relation.column(named.parts[-1])
            found |= {column.type_oid} if column is not None else set()
        level = level.outer
    return frozenset(found) or None


def _becomes(catalog: Catalog, held: int, wanted: int) -> bool:
    """A value of one type is taken where another is wanted: it is that, a domain over it, or cast unasked.

    Of an array each element may be meant (`= ANY`).
    """
    have, want = catalog.types.get(held), catalog.types.get(wanted)
    if have is None or want is None or held == wanted or want.kind == "c":
        return True
    if (cast := catalog.casts.get((held, wanted))) is not None and cast.implicit:
        return True
    if have.base and _becomes(catalog, have.base, wanted):
        return True
    return bool(have.element) and _becomes(catalog, have.element, want.element or wanted)


def _parameter_type(reading: Reading, number: int) -> int:
    types = reading.parameter_types
    return types[number - 1] if 0 < number <= len(types) else 0


def _reachable_types(reading: Reading) -> frozenset[int]:
    """Types outside pg_catalog that some expression of the statement may have."""
    catalog = reading.catalog
    known = [catalog.relations[reference.oid] for reference in reading.references if reference.oid is not None]
    if any(reference.oid is None for reference in reading.references):
        known = [relation for relation in catalog.relations.values() if not relation.system]
    starts: set[int] = {column.type_oid for relation in known for column in relation.columns}
    starts |= set(reading.parameter_types) | catalog.implicit_targets
    for call in reading.calls:
        if call.kind == "function":
            starts |= {candidate.result for candidate in function_candidates(reading, call)}
        elif call.kind == "cast":
            starts |= set(_type_oids(reading, call))
    return frozenset(_within(catalog, starts))


def _within(catalog: Catalog, starts: Iterable[int]) -> Iterator[int]:
    """The types, what they are made of, and their elements."""
    waiting, seen = list(starts), set[int]()
    while waiting:
        oid = waiting.pop()
        kind = catalog.types.get(oid)
        if oid in seen or kind is None:
            continue
        seen.add(oid)
        waiting += [kind.base, kind.element]
        relation = catalog.relations.get(kind.relation)
        waiting += [column.type_oid for column in relation.columns] if relation else []
        if kind.schema != PG_CATALOG:
            yield oid


def _type_oids(reading: Reading, call: Call) -> Iterator[int]:
    *schema, name = call.parts[-2:]
    places: Sequence[str] = schema or (PG_CATALOG, *reading.search_path)
    for place in places:
        for spelled in (name, f"_{name}"):
            oid = reading.catalog.type_names.get((place, spelled))
            if oid is not None:
                yield oid


def _casts(reading: Reading, call: Call) -> Iterator[Function]:
    """A type outside pg_catalog runs its own input function when something is cast to it."""
    for oid in _type_oids(reading, call):
        info = reading.catalog.types[oid]
        if info.schema != PG_CATALOG and info.name == call.parts[-1] and info.kind in _WITH_OWN_INPUT:
            yield Function(schema=info.schema, name=info.name, kind="cast")
