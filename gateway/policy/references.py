"""Which paths of the input a policy reads, and for whom, from the syntax trees of `opa parse --format json`.

A path is followed as far as it is made of literal names; where a variable or an index comes, everything below the
path counts as read. The list decides what the gateway puts into a document, so it may be too long, never too short.

A package whose METADATA says `custom.reads_for: [hours]` reads only where the site data has entries under `hours`:
sites without them keep documents, and so remembered decisions, without a time.
"""

from collections.abc import Container, Iterable, Iterator

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


def reads_for(modules: Iterable[tuple[str, Json]], known: Container[str]) -> dict[str, tuple[str, ...]]:
    """The same, by the section of the site data that the reading is for; under "" what is read for everybody.

    Raises BundleRejected for a section that is not known: its paths would be in no document.
    """
    groups: dict[str, list[tuple[str, Json]]] = {}
    for name, module in modules:
        sections = _sections(module)
        if strange := [each for each in sections if each not in known]:
            raise BundleRejected("bundle.manifest", f"{name}: reads_for names no section of site data: {strange[0]}")
        for section in sections or ("",):
            groups.setdefault(section, []).append((name, module))
    return {section: reads(group) for section, group in sorted(groups.items())}


def _sections(module: Json) -> tuple[str, ...]:
    """What the METADATA of a package says under `reads_for`."""
    match module:
        case {"annotations": list(found)}:
            for each in found:
                match each:
                    case {"scope": "package", "custom": {"reads_for": list(names)}}:
                        return tuple(str(name) for name in names)
    return ()


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
