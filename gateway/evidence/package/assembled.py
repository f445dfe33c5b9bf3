"""The one file `verify.py`, put together from the modules it is made of, with one list of imports on top."""

import ast
from importlib.resources import files
from typing import Final

MODULES: Final = ("findings", "archive", "signed", "tree", "story", "drawn", "contents", "command")
_TOP: Final = '''#!/usr/bin/env python3
"""Verifies an evidence package of querywarden. One file: Python 3.8 or later and `cryptography`, nothing else.

    python3 verify.py [--key LOG.pub] [--witness KEY] [--json] evidence-….zip

Exit codes: 0 everything holds, 1 something was changed, 2 something is missing, 3 the command was wrong. Each finding
has a stable name. Without --key the key inside the package is believed, which shows damage but no forger. VERIFY.md
beside this file says what is checked, and how to check it without this program.
"""

from __future__ import annotations

'''
_END: Final = """

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def verify_py() -> bytes:
    """The file. The same modules give the same bytes."""
    modules: set[str] = set()
    names: dict[str, set[str]] = {}
    bodies = []
    for name in MODULES:
        source = (files("gateway.evidence.package.verifier") / f"{name}.py").read_text(encoding="utf-8")
        bodies.append(f"\n\n# --- {name} ---\n\n{_body(source, modules, names)}")
    taken = [f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)]
    return (_TOP + "\n".join([*sorted(modules), *taken, ""]) + "".join(bodies) + _END).encode()


def _body(source: str, modules: set[str], names: dict[str, set[str]]) -> str:
    """A module without docstring and imports; imports of what is not ours join the others."""
    lines = source.splitlines()
    tree = ast.parse(source)
    for node in reversed(tree.body):
        match node:
            case ast.Import():
                modules.add(ast.unparse(node))
            case ast.ImportFrom(module=str(module)):
                if module != "__future__" and not module.startswith("gateway."):
                    names.setdefault(module, set()).update(alias.name for alias in node.names)
            case _ if node is not tree.body[0]:
                continue
        del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).strip("\n") + "\n"
