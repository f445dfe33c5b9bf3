"""Which paths of the input a policy reads, from the syntax trees of `opa parse --format json`.

A path is followed as far as it is made of literal names; where a variable or an index comes, everything below the
path counts as read. The list decides what the gateway puts into a document, so it may be too long, never too short.
"""

from collections.abc import Iterable, Iterator

from gateway.core.errors import BundleRejected
from gateway.core.principal import Json


def reads(modules: Iterable[tuple[str, Json]]) -> tuple[str, ...]:
    """Sorted dotted paths below `input` that (file name, syntax tree) pairs read.

    Raises BundleRejected for `input` used as a whole: nobody could say what such a rule reads.
    """
    found: set[tuple[str, ...]] = set()
    for name, module in modules:
        for path in _paths(module):
            if not path:
                raise BundleRejected("bundle.manifest", f"{name}: name the parts of `input` that are read")
            found.add(path)
    return tuple(sorted(".".join(path) for path in found if not _covered(path, found)))


def _covered(path: tuple[str, ...], found: set[tuple[str, ...]]) -> bool:
    """Whether a shorter path stands for this one."""
    return any(path[:length] in found for length in range(1, len(path)))


def _paths(node: Json) -> Iterator[tuple[str, ...]]:
    match node:
        case {"type": "ref", "value": [{"type": "var", "value": "input"}, *steps]}:
            yield _literal(steps)
            for step in steps:
                yield from _paths(step)
        case {"type": "var", "value": "input"}:
            yield ()
        case dict():
            for key, part in node.items():
                if key != "annotations":  # they name the schema of `input`, and read nothing
                    yield from _paths(part)
        case list():
            for part in node:
                yield from _paths(part)


def _literal(steps: list[Json]) -> tuple[str, ...]:
    path: list[str] = []
    for step in steps:
        match step:
            case {"type": "string", "value": str(name)} if name and "." not in name:
                path.append(name)
            case _:
                break
    return tuple(path)
