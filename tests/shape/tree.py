"""The project's own files, as the shape tests see them."""

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
GATEWAY = ROOT / "gateway"
OURS = ("gateway", "tests", "tools", "bench")


def python_files(*tops: str) -> list[Path]:
    """Every Python file under the named top folders, sorted, relative to the root."""
    found = [path.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("*.py")]
    return sorted(path for path in found if not {"node_modules", "target", "build"} & set(path.parts))


def rooms() -> list[str]:
    """The folders of gateway/ that hold Python."""
    return sorted(path.parent.name for path in GATEWAY.glob("*/__init__.py"))


@cache
def tree_of(path: Path) -> ast.Module:
    """The syntax tree of a file given relative to the root."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"), str(path))


def functions_of(path: Path) -> Iterator[tuple[str, int]]:
    """Each function's name and its length in lines, decorators left out."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def imports_of(path: Path) -> set[str]:
    """Top-level names of every module a file imports."""
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def io_modules() -> set[str]:
    """The modules pyproject.toml forbids in pure rooms: one list for import-linter and for these tests."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = config["tool"]["importlinter"]["contracts"]
    return {name for entry in contracts if entry["id"] == "pure" for name in entry["forbidden_modules"]}
