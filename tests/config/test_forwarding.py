"""From settings to couriers: each kind gets its receiver, its limits and its numbers, and no sink means no thread."""

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.config import sinks as k
from gateway.config.forwarding import KINDS, forwarded, names, plan_of, receiver_of
from gateway.config.load import load
from gateway.config.quantities import Duration
from gateway.config.secret import Secret
from gateway.core.events import Event
from gateway.evidence.sinks.to_file import FileReceiver
from gateway.evidence.sinks.to_otlp import Otlp
from gateway.evidence.sinks.to_s3 import S3Receiver
from gateway.evidence.sinks.to_splunk import Splunk
from gateway.evidence.sinks.to_syslog import Syslog
from gateway.evidence.sinks.to_webhook import Webhook
from tests.config.world import changed, told
from tests.evidence.world import TickClock, whole_log

SECRET = Secret(env="WORD")
KEYS: list[tuple[k.Sink, type]] = [
    (k.FileSink(name="a", path=Path("x")), FileReceiver),
    (k.SyslogSink(name="a", url="tls://h"), Syslog),
    (k.OtlpSink(name="a", url="https://h/v1/logs"), Otlp),
    (k.SplunkSink(name="a", url="https://h", secret=SECRET), Splunk),
    (k.HttpSink(name="a", url="https://h"), Webhook),
    (k.S3Sink(name="a", url="s3://b/p", access_key=SECRET, secret=SECRET), S3Receiver),
]


@pytest.mark.parametrize(("sink", "kind"), KEYS)
async def test_each_kind_gets_its_receiver(sink: k.Sink, kind: type) -> None:
    receiver = receiver_of(sink, TickClock(), Path("var"))
    assert type(receiver) is kind
    await receiver.close()
    assert plan_of(sink).kind == KINDS[type(sink)]


def test_a_plan_is_what_was_written() -> None:
    plan = plan_of(k.S3Sink(name="vault", url="s3://b", start="now", bodies=True, format="raw", every=Duration(30)))
    assert (plan.name, plan.kind, plan.hold, plan.from_now, plan.style.bodies) == ("vault", "s3", 30.0, True, True)
    assert names([k.FileSink(name="a", path=Path("x"))]) == ("a",)


async def _nothing(_: Event) -> None:
    return


async def test_without_a_sink_there_is_no_thread(folder: Path) -> None:
    assert told(folder, changed("evidence.sinks", [])) == []
    async with forwarded(load(folder / "gateway.yaml"), _nothing, TickClock()) as families:
        assert families == []
        assert "sinks" not in {thread.name for thread in threading.enumerate()}


async def test_a_sink_is_served_while_the_block_runs_and_told_of_in_numbers(folder: Path) -> None:
    await asyncio.to_thread(whole_log, folder / "var", sessions=1)
    sinks = [{"type": "file", "name": "copy", "path": "out/events.jsonl", "format": "raw"}]
    assert told(folder, changed("evidence.sinks", sinks)) == []
    async with forwarded(load(folder / "gateway.yaml"), _nothing, TickClock()) as families:
        read = {family.name.removeprefix("querywarden_sink_"): family.read for family in families}
        async with asyncio.timeout(20):
            while not read["sent_events"]()["copy"]:  # noqa: ASYNC110 -- another thread counts
                await asyncio.sleep(0.01)
        assert set(read) == {"lag_events", "lag_seconds", "failing", "sent_events", "failures", "parked_events"}
        assert (read["failing"](), read["failures"](), read["parked_events"]()) == (
            {"copy": 0},
            {"copy": 0},
            {"copy": 0},
        )
    lines = await asyncio.to_thread((folder / "out/events.jsonl").read_bytes)
    assert len(lines.splitlines()) > 10
    assert "sinks" not in {thread.name for thread in threading.enumerate()}
