"""Which tests may open sockets: those whose subject is the network. All others prove that they do without.

A single test elsewhere says `@pytest.mark.enable_socket`.
"""

from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("querywarden", deadline=None)  # a busy machine proves nothing about an example
hypothesis.settings.load_profile("querywarden")
ROOT = Path(__file__).parent
NETWORKED = {"e2e", "upstream", "frontends", "conformance", "chaos", "app", "cli", "identity"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests of the networked folders open sockets."""
    for item in items:
        parts = item.path.relative_to(ROOT).parts
        if len(parts) > 1 and parts[0] == "tests" and parts[1].removeprefix("test_").removesuffix(".py") in NETWORKED:
            item.add_marker(pytest.mark.enable_socket)
