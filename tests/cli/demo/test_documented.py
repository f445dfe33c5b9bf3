"""Whoever follows a page of the documentation gets what it says: every command of every page is typed here."""

from pathlib import Path

import pytest

from tests.cli.demo import pages
from tests.cli.demo.player import ROOT, reader

GENERATED = ROOT / "docs/reference"
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    if page.parent != GENERATED and any(pages.steps(page))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_reader_who_follows_the_page_gets_what_it_says(page: Path) -> None:
    with reader() as follow:
        for step in pages.steps(page):
            follow(step)


PAGE = """
# A page

Write `/tmp/mine/site.yaml`:

```yaml
a: 1
```

```console
$ first --option \\
    value
says … this
$ second   # exits 1
```

*Not run by CI: it needs a container engine.*

```console
$ docker run it
```

```text
nothing to do
```
"""


def test_files_commands_and_their_output_are_read_from_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    assert list(pages.steps(page)) == [
        pages.File("/tmp/mine/site.yaml", "a: 1\n"),  # noqa: S108 -- never written
        pages.Command("first --option value", ["says … this"]),
        pages.Command("second", [], 1),
    ]


def test_a_line_of_the_page_is_looked_for_in_what_was_printed() -> None:
    assert pages.seen("proof   holds: … signed", "x\nproof  holds: leaf 7 has signed\n")
    assert not pages.seen("proof holds", "proof FAILS\n")


def test_a_command_that_does_not_do_what_the_page_says_is_found_out() -> None:
    for step in (pages.Command("false"), pages.Command("true", code=1), pages.Command("echo a", ["b"])):
        with reader() as follow, pytest.raises(AssertionError):
            follow(step)
