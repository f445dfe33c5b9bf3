"""Parts of docs/reference/performance.md that have a command of their own: kept when the rest is written anew."""

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "performance.md"
_PART = re.compile(r"<!-- part (\S+) -->\n.*?<!-- end of \1 -->\n", re.DOTALL)


def with_parts(page: str, old: str) -> str:
    """A page written anew, with the parts of the old one behind it."""
    parts = [found.group() for found in _PART.finditer(old)]
    return "\n".join([page.rstrip("\n") + "\n", *parts]) if parts else page


def with_part(page: str, name: str, text: str) -> str:
    """The page with a part put in place of the one of that name, or behind everything."""
    part = f"<!-- part {name} -->\n{text.strip()}\n<!-- end of {name} -->\n"
    found = next((each for each in _PART.finditer(page) if each.group(1) == name), None)
    if found is None:
        return page.rstrip("\n") + "\n\n" + part
    return page[: found.start()] + part + page[found.end() :]
