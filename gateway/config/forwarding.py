"""From the settings of sinks to what carries the log to them, and to the numbers that /metrics tells of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from gateway.config import settings as s
from gateway.config import sinks as k
from gateway.config.secret import Secret
from gateway.core.clock import Clock
from gateway.evidence.sinks.answers import Receiver
from gateway.evidence.sinks.courier import Courier, Note, Plan
from gateway.evidence.sinks.cursor import FOLDER, Cabinet
from gateway.evidence.sinks.dispatch import Dispatch, lag_seconds
from gateway.evidence.sinks.follow import Follower
from gateway.evidence.sinks.formats import Style
from gateway.evidence.sinks.posting import Credential, Place, Post
from gateway.evidence.sinks.to_file import FileReceiver
from gateway.evidence.sinks.to_splunk import Splunk
from gateway.evidence.sinks.to_syslog import Syslog, SyslogPlace
from gateway.evidence.sinks.to_webhook import Webhook
from gateway.frontends.http.state import Family

KINDS: Final = {
    k.FileSink: "file", k.SyslogSink: "syslog", k.OtlpSink: "otlp", k.SplunkSink: "splunk_hec", k.HttpSink: "http",
    k.S3Sink: "s3",
}  # fmt: skip


@asynccontextmanager
async def forwarded(settings: s.Settings, note: Note, clock: Clock) -> AsyncIterator[list[Family]]:
    """Sends to every sink while the block runs; what /metrics tells of them. No sink, no thread."""
    if not settings.evidence.sinks:
        yield []
        return
    dispatch = make_dispatch(settings, clock, note)
    dispatch.start()
    try:
        yield sink_families(dispatch, clock)
    finally:
        await dispatch.close()


def make_dispatch(settings: s.Settings, clock: Clock, note: Note) -> Dispatch:
    """Every sink of the configuration, not yet begun. On the loop that writes the log."""

    def make(record: Note) -> list[Courier]:
        return [
            Courier(
                plan_of(sink),
                Follower(settings.data_dir),
                Cabinet(settings.data_dir, sink.name),
                receiver_of(sink, clock, settings.data_dir),
                clock=clock,
                note=record,
            )
            for sink in settings.evidence.sinks
        ]

    return Dispatch(make, note)


def plan_of(sink: k.Sink) -> Plan:
    """How a sink is served."""
    return Plan(
        name=sink.name,
        kind=KINDS[type(sink)],
        style=Style(sink.format, sink.bodies, sink.event_bytes),
        most_events=sink.batch_events,
        most_bytes=sink.batch_bytes,
        hold=sink.every if isinstance(sink, k.S3Sink) else 0.0,
        from_now=sink.start == "now",
        retry_most=sink.retry_max,
    )


def receiver_of(sink: k.Sink, clock: Clock, data_dir: Path) -> Receiver:
    """The other side of a sink. Connects to nothing yet."""
    match sink:
        case k.FileSink():
            return FileReceiver(sink.path, sink.rotate)
        case k.SyslogSink():
            place = SyslogPlace(sink.url, sink.timeout, sink.facility, sink.tls.ca, sink.tls.shown, sink.unsigned_end)
            return Syslog(place)
        case k.HttpSink():
            return Webhook(_post(sink), sink.name, _credential(sink.secret, clock), clock)
        case k.SplunkSink():
            return Splunk(
                _post(sink),
                Credential(sink.secret.reveal, clock),
                clock,
                acknowledge=sink.acknowledge,
                ack_timeout=sink.ack_timeout,
                index=sink.index,
                sourcetype=sink.sourcetype,
            )
        case k.OtlpSink():
            from gateway.evidence.sinks.to_otlp import Otlp  # noqa: PLC0415 -- an extra

            return Otlp(_post(sink), _credential(sink.secret, clock), clock)
        case k.S3Sink():
            return _s3(sink, clock, data_dir / FOLDER / sink.name)


def _post(sink: k.HttpSink | k.SplunkSink | k.OtlpSink) -> Post:
    return Post(Place(sink.url, sink.timeout, sink.tls.ca, sink.tls.shown))


def _credential(secret: Secret | None, clock: Clock) -> Credential | None:
    return Credential(secret.reveal, clock) if secret else None


def _s3(sink: k.S3Sink, clock: Clock, scratch: Path) -> Receiver:
    from gateway.evidence.sinks.to_s3 import Bucket, S3Receiver, keys  # noqa: PLC0415 -- an extra

    parts = urlsplit(sink.url)
    bucket = Bucket(
        endpoint=sink.endpoint,
        region=sink.region,
        bucket=parts.netloc,
        prefix=parts.path,
        timeout=sink.timeout,
        ca=sink.ca,
        lock=sink.lock.mode if sink.lock else "",
        lock_seconds=int(sink.lock.period) if sink.lock else 0,
        scratch=scratch,
    )
    given = (sink.access_key.reveal, sink.secret.reveal) if sink.access_key and sink.secret else None
    return S3Receiver(bucket, keys(given), sink.objects, clock)


def sink_families(dispatch: Dispatch, clock: Clock) -> list[Family]:
    """What /metrics tells of sinks."""
    label, numbers = "sink", dispatch.numbers
    return [
        Family("querywarden_sink_lag_events", "Signed leaves the receiver has not taken.",
               lambda: numbers(lambda each: each.pending), label),
        Family("querywarden_sink_lag_seconds", "Age of the oldest of them.",
               lambda: numbers(lambda each: lag_seconds(each, clock.now_ns())), label),
        Family("querywarden_sink_failing", "1 while nothing gets through.",
               lambda: numbers(lambda each: float(bool(each.failing))), label),
        Family("querywarden_sink_sent_events", "Events taken since the start; repeated ones count again.",
               lambda: numbers(lambda each: each.sent), label, counter=True),
        Family("querywarden_sink_failures", "Batches not taken since the start.",
               lambda: numbers(lambda each: each.failures), label, counter=True),
        Family("querywarden_sink_parked_events", "Events the receiver refused for good, ever.",
               lambda: numbers(lambda each: each.parked), label),
    ]  # fmt: skip


def names(sinks: Sequence[k.Sink]) -> tuple[str, ...]:
    """The names of sinks, whose cursors hold leaves back from deletion."""
    return tuple(sink.name for sink in sinks)
