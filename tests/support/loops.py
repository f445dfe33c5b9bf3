"""The event loops that code which touches the network must hold on: uvloop in service, asyncio's elsewhere."""

import asyncio
from collections.abc import Callable, Mapping

import uvloop

BOTH: Mapping[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
