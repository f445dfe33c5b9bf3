"""Each sink's receiver is asked whether it could take events, and what to do when it could not."""

import asyncio
from pathlib import Path

import pytest

from gateway.cli.doctor.result import Status
from gateway.cli.doctor.sinks import look
from gateway.config import sinks as k
from gateway.config.quantities import Duration
from gateway.config.secret import Secret
from gateway.core.clock import SystemClock
from tests.evidence.sinks.servers import Said, http

CLOCK = SystemClock()


async def test_a_receiver_that_takes_events_is_fine(tmp_path: Path) -> None:
    found = await look(k.FileSink(name="copy", path=tmp_path / "x"), CLOCK, tmp_path)
    assert (found.status, found.about, found.text) == (Status.FINE, "copy", "takes events")
    async with http(lambda _: Said()) as server:
        assert (await look(k.HttpSink(name="hook", url=server.url), CLOCK, tmp_path)).status is Status.FINE


async def test_one_that_refuses_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with http(lambda _: Said(401)) as server:
        found = await look(k.HttpSink(name="hook", url=server.url), CLOCK, tmp_path)
        assert (found.status, found.text) == (Status.NO, "does not take events: http.401")
        assert found.remedy
        monkeypatch.delenv("HEC", raising=False)
        splunk = await look(k.SplunkSink(name="hec", url=server.url, secret=Secret(env="HEC")), CLOCK, tmp_path)
        assert (splunk.status, splunk.remedy) == (Status.NO, "Look at the reference of its secret.")


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:{port}", "http://127.0.0.1:{port}"])
async def test_one_that_is_not_there_is_unreachable(tmp_path: Path, unused_tcp_port: int, url: str) -> None:
    address = url.format(port=unused_tcp_port)
    sink: k.Sink = k.SyslogSink(name="a", url=address) if url.startswith("tcp") else k.HttpSink(name="a", url=address)
    assert (await look(sink, CLOCK, tmp_path)).status is Status.UNREACHABLE


async def test_one_that_hangs_is_unreachable(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await gate.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sink = k.SyslogSink(name="a", url=f"tcp://127.0.0.1:{port}", timeout=Duration(0.2))
    assert (await look(sink, CLOCK, tmp_path)).status is Status.UNREACHABLE
    gate.set()
    server.close()
