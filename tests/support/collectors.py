"""A webhook, and a Splunk HTTP Event Collector as its documentation describes it: `PORT FOLDER TOKEN`.

What was taken is written and synced before it is answered (webhook.jsonl), or before it is acknowledged (splunk.jsonl):
an event that is accepted and not yet acknowledged is lost when this process is killed, as in a real collector.
"""

import asyncio
import itertools
import os
import sys
from pathlib import Path

import msgspec
from aiohttp import web

INDEXING_SECONDS = 0.2


class Collector:
    """Codes, channels and acknowledgement ids of Splunk's documentation."""

    def __init__(self, folder: Path, token: str) -> None:
        self._splunk, self._webhook = folder / "splunk.jsonl", folder / "webhook.jsonl"
        self._token = token
        self._ids = itertools.count()
        self._indexed: dict[str, set[int]] = {}

    async def event(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        body = await request.read()
        lines = body.splitlines()
        if not lines:
            return _said(400, 5, "No data")
        for number, line in enumerate(lines):
            try:
                msgspec.json.decode(line, type=dict[str, object])["event"]
            except (msgspec.DecodeError, KeyError):
                return _said(400, 6, "Invalid data format", **{"invalid-event-number": number})
        ack = next(self._ids)
        task = asyncio.ensure_future(self._index(request.headers["X-Splunk-Request-Channel"], ack, body))
        task.add_done_callback(lambda _: None)
        return _said(200, 0, "Success", ackId=ack)

    async def acks(self, request: web.Request) -> web.Response:
        if (refused := self._refused(request)) is not None:
            return refused
        wanted = msgspec.json.decode(await request.read(), type=dict[str, list[int]])["acks"]
        known = self._indexed.get(request.headers["X-Splunk-Request-Channel"], set())
        told = {str(ack): ack in known for ack in wanted}
        known.difference_update(wanted)
        return web.json_response({"acks": told})

    async def hook(self, request: web.Request) -> web.Response:
        document = msgspec.json.decode(await request.read(), type=dict[str, object])
        events = document["events"]
        assert isinstance(events, list)
        _append(self._webhook, b"".join(msgspec.json.encode(event) + b"\n" for event in events))
        return web.json_response({})

    async def _index(self, channel: str, ack: int, body: bytes) -> None:
        await asyncio.sleep(INDEXING_SECONDS)
        _append(self._splunk, body + b"\n")
        self._indexed.setdefault(channel, set()).add(ack)

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") != f"Splunk {self._token}":
            return _said(403, 4, "Invalid token")
        if not request.headers.get("X-Splunk-Request-Channel"):
            return _said(400, 10, "Data channel is missing")
        return None


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _said(status: int, code: int, text: str, **more: int) -> web.Response:
    return web.json_response({"text": text, "code": code, **more}, status=status)


def main(port: int, folder: Path, token: str) -> None:
    collector = Collector(folder, token)
    app = web.Application(client_max_size=64 << 20)
    app.router.add_post("/services/collector/event", collector.event)
    app.router.add_post("/services/collector/ack", collector.acks)
    app.router.add_post("/hook", collector.hook)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
