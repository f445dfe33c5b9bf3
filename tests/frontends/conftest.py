"""Tests of the network run on both event loops."""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from tests.support.loops import BOTH


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both for the modules that own sockets, asyncio's for the others."""
    both = item.path.name in {"test_accept.py", "test_listener.py"}
    return BOTH if both else {"asyncio": BOTH["asyncio"]}
