# What the gateway uses of opa-python-client 3.0 (MIT), which brings no types; see tools/make_stubs.py for the folder.
from types import TracebackType
from typing import Self

import aiohttp

class AsyncOpaClient:
    schema: str
    host: str
    port: int
    headers: dict[str, str] | None
    timeout: float
    _session: aiohttp.ClientSession | None
    _connector: aiohttp.BaseConnector | None

    def __init__(
        self,
        host: str = ...,
        port: int = ...,
        version: str = ...,
        ssl: bool = ...,
        cert: str | tuple[str, str] | None = ...,
        headers: dict[str, str] | None = ...,
        token: str | None = ...,
        retries: int = ...,
        timeout: float = ...,
    ) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    async def _init_session(self) -> None: ...
    async def close_connection(self) -> None: ...
    async def check_health(self, query: dict[str, bool] | None = ..., diagnostic_url: str | None = ...) -> bool: ...
    async def ad_hoc_query(
        self, query: str, input_data: object = ..., query_params: dict[str, bool] | None = ...
    ) -> object: ...
