"""Input documents that nobody would write: made of the vectors' by small changes, valid by the schema and invalid."""

import copy
import random
from collections.abc import Iterator, Sequence

VALID_SHARE = 0.5
STRANGE: tuple[object, ...] = (
    None, True, False, 0, -1, 1, 2**53 - 1, "", "*", "public.*", "null", "\N{GRINNING FACE}\0é", "a" * 300,
    [], {}, [[]], [None], {"": ""}, ["select"], {"name": "select"}, "411111",
)  # fmt: skip
POOLS: dict[str, tuple[object, ...]] = {
    "name": ("select", "insert", "update", "delete", "drop", "copy_out", "explain", "cards", "customers", "pan", "x"),
    "category": ("read", "write", "ddl", "dcl", "session", "transaction", "procedure", "admin"),
    "connection": ("payments", "ledger", "other"),
    "schema": ("public", "archive", "pg_catalog", "information_schema", "PUBLIC"),
    "relation": ("cards", "customers", "pg_authid", "orders"),
    "kind": ("table", "view", "matview", "partition", "foreign", "system", "function", "unknown", "operator", "cast"),
    "labels": ([], ["pan"], ["cvv"], ["pan", "cvv"], ["track"], ["email"], ["unheard-of"]),
    "groups": ([], ["agents"], ["writers"], ["pan-readers"], ["agents", "pan-readers"], ["dba"], ["*"]),
    "access": ([], ["read"], ["write"], ["read", "write"]),
    "clauses": ([], ["select"], ["where"], ["select", "where"], ["set"], ["returning"], ["order", "group"]),
    "channel": ("postgres", "mysql", "http", "mcp"),
    "engine": ("postgres", "mysql"),
    "has_where": (True, False),
    "limit": (True, False),
    "cartesian": (True, False),
    "locking": (True, False),
    "joins": (0, 1, 7, 2**31),
    "count": (0, 1, 2, 2000),
    "transaction": ("none", "active", "failed"),
    "hazards": ([], [{"code": "statement.unanalysable", "detail": ""}], [{"code": "x", "detail": "y"}]),
    "settings": ([], ["search_path"], ["work_mem"], ["a", "b"]),
    "purpose": ("refund", "x"),
    "reason": ("because", "x"),
    "ticket": ("T-1", "x"),
}
"""values that the schema allows at a key of that name, or nearly so"""


def odd_inputs(seeds: Sequence[object], number: int, seed: int) -> Iterator[object]:
    """`number` documents; the same for the same seeds. About half of them keep to the schema."""
    chance = random.Random(seed)  # noqa: S311 -- no secret: a run must be repeatable
    for _ in range(number):
        document = copy.deepcopy(chance.choice(seeds))
        change = _mild if chance.random() < VALID_SHARE else _wild
        for _ in range(chance.randint(1, 4)):
            change(document, chance)
        yield document


def _places(value: object) -> Iterator[tuple[dict[str, object] | list[object], str | int]]:
    """Every place in a document: what holds it, and under which key."""
    match value:
        case dict():
            for key in list(value):
                yield value, key
                yield from _places(value[key])
        case list():
            for index in range(len(value)):
                yield value, index
                yield from _places(value[index])


def _mild(document: object, chance: random.Random) -> None:
    """Another value of the same kind; one entry of a list more or less."""
    places = list(_places(document))
    fitting = [place for place in places if place[1] in POOLS] or places
    holder, key = chance.choice(fitting)
    if isinstance(holder, dict) and isinstance(key, str):
        if key in POOLS:
            holder[key] = copy.deepcopy(chance.choice(POOLS[key]))
        return
    if isinstance(holder, list) and isinstance(key, int):
        if chance.random() < VALID_SHARE:
            del holder[key]
        else:
            holder.append(copy.deepcopy(holder[key]))


def _wild(document: object, chance: random.Random) -> None:
    """Whatever: another type, a key less, a key more, a part of the document in the place of another."""
    places = list(_places(document))
    if not places:
        return
    holder, key = chance.choice(places)
    other, name = chance.choice(places)
    what = chance.choice(("replace", "drop", "add", "move"))
    if isinstance(holder, list) and isinstance(key, int):
        holder[key] = _strange(chance)
        return
    if not isinstance(holder, dict) or not isinstance(key, str):
        return
    match what:
        case "replace":
            holder[key] = _strange(chance)
        case "drop":
            del holder[key]
        case "add":
            holder[chance.choice(("more", "effect", "outcome", "covered", ""))] = _strange(chance)
        case "move":
            part = other[name] if isinstance(other, dict) and isinstance(name, str) else _strange(chance)
            holder[key] = copy.deepcopy(part)


def _strange(chance: random.Random) -> object:
    return copy.deepcopy(chance.choice(STRANGE))
