"""The settings of `evidence.sinks`: what every sink has, and what each kind of receiver needs."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from gateway.config.quantities import Duration, Size
from gateway.config.secret import Secret
from gateway.config.section import Section, Text, made, of, said

SinkName = Annotated[
    str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,39}$", description="Of its cursor, in metrics and in the log.")
]
Format = Annotated[
    Literal["ocsf", "ecs", "cef", "raw"],
    Meta(description="OCSF 1.8, Elastic Common Schema, Common Event Format, or the leaf as it is."),
]


class SinkTls(Section, frozen=True, kw_only=True):
    """How we and a receiver know each other. Its certificate and name are always verified."""

    ca: Annotated[Path | None, Meta(description="Authority of the receiver, PEM; the system's when absent.")] = None
    cert: Annotated[Path | None, Meta(description="Certificate chain that we show, PEM; with `key`.")] = None
    key: Annotated[Path | None, Meta(description="Its private key, PEM; not readable by everybody.")] = None

    @property
    def shown(self) -> tuple[Path, Path] | None:
        """Certificate and key, when both are given."""
        return (self.cert, self.key) if self.cert is not None and self.key is not None else None


class _Sink(Section, frozen=True, kw_only=True, tag_field="type"):
    """What every sink has."""

    name: SinkName
    format: Format = "ocsf"
    bodies: Annotated[
        bool, Meta(description="Send the redacted statement, the input and the decision with each event.")
    ] = False
    start: Annotated[
        Literal["beginning", "now"], Meta(description="Where a new sink begins: at the log's first leaf, or behind it.")
    ] = "beginning"
    batch_events: Annotated[int, Meta(description="Events sent at once, at most.", ge=1, le=20_000)] = 500
    batch_bytes: Annotated[Size, said("Bytes of leaves sent at once, 64KiB to 16MiB.", "1MiB")] = of(Size.parse, "1MiB")
    event_bytes: Annotated[
        Size, said("An event that bodies would make longer goes without them, and says so.", "256KiB")
    ] = of(Size.parse, "256KiB")
    timeout: Annotated[Duration, said("For one batch, 1s to 5m.", "10s")] = of(Duration.parse, "10s")
    retry_max: Annotated[Duration, said("Between two tries, at most; 1s to 1h.", "1m")] = of(Duration.parse, "1m")


class FileSink(_Sink, frozen=True, kw_only=True, tag="file"):
    """A file, one event a line."""

    path: Annotated[Path, Meta(description="The file; its folder is made when it is missing.")]
    rotate: Annotated[Size, said("A file of this size is renamed and kept, and another one begun.", "64MiB")] = of(
        Size.parse, "64MiB"
    )


class SyslogSink(_Sink, frozen=True, kw_only=True, tag="syslog"):
    """A syslog receiver: RFC 5424 over TLS (RFC 5425), or over TCP or UDP on this machine."""

    url: Annotated[Text, Meta(description="`tls://host:6514`; on loopback also `tcp://…` and `udp://…`.")]
    tls: Annotated[SinkTls, Meta(description="How we and the receiver know each other.")] = made(SinkTls)
    unsigned_end: Annotated[
        bool, Meta(description="Take an end of TLS without close_notify for one: rsyslog's driver `gtls` needs it.")
    ] = False
    facility: Annotated[int, Meta(description="Syslog facility; 13 is “log audit”.", ge=0, le=23)] = 13
    event_bytes: Annotated[
        Size, said("An event that bodies would make longer goes without them; what receivers take.", "7KiB")
    ] = of(Size.parse, "7KiB")


class OtlpSink(_Sink, frozen=True, kw_only=True, tag="otlp"):
    """OpenTelemetry logs over HTTP, in protobuf. Needs the extra `otlp`."""

    url: Annotated[Text, Meta(description="`https://collector:4318/v1/logs`; `http` on loopback only.")]
    secret: Annotated[Secret | None, Meta(description="A bearer token.")] = None
    tls: Annotated[SinkTls, Meta(description="How we and the receiver know each other.")] = made(SinkTls)


class SplunkSink(_Sink, frozen=True, kw_only=True, tag="splunk_hec"):
    """Splunk's HTTP Event Collector."""

    url: Annotated[Text, Meta(description="`https://splunk:8088`, without a path; `http` on loopback only.")]
    secret: Annotated[Secret, Meta(description="The collector's token.")]
    tls: Annotated[SinkTls, Meta(description="How we and the receiver know each other.")] = made(SinkTls)
    index: Annotated[str, Meta(description="The index; the token's own when empty.", max_length=256)] = ""
    sourcetype: Annotated[Text, Meta(description="Of every event.")] = "querywarden"
    acknowledge: Annotated[
        bool, Meta(description="Wait until indexers say they have the events; the token must allow it.")
    ] = True
    ack_timeout: Annotated[Duration, said("For that, 1s to 1h; then the batch is sent again.", "2m")] = of(
        Duration.parse, "2m"
    )
    batch_events: Annotated[int, Meta(description="Events acknowledged together, at most.", ge=1, le=20_000)] = 10_000
    batch_bytes: Annotated[Size, said("Bytes of leaves acknowledged together.", "8MiB")] = of(Size.parse, "8MiB")


class HttpSink(_Sink, frozen=True, kw_only=True, tag="http"):
    """An endpoint of your own, told by signed POSTs."""

    url: Annotated[Text, Meta(description="`https://…`; `http` on loopback only.")]
    secret: Annotated[Secret | None, Meta(description="Key of the signature (HMAC-SHA-256).")] = None
    tls: Annotated[SinkTls, Meta(description="How we and the receiver know each other.")] = made(SinkTls)


class ObjectLock(Section, frozen=True, kw_only=True):
    """How long objects cannot be changed or removed. The bucket must have been made with Object Lock."""

    mode: Annotated[
        Literal["compliance", "governance"],
        Meta(description="`compliance`: by nobody. `governance`: but by who may by-pass it."),
    ] = "compliance"
    period: Annotated[Duration, said("From the moment an object is written; whole seconds.", "400d")] = of(
        Duration.parse, "400d"
    )


class S3Sink(_Sink, frozen=True, kw_only=True, tag="s3"):
    """Objects of an S3-compatible bucket. Needs the extra `s3`; Parquet needs `history` too."""

    url: Annotated[Text, Meta(description="`s3://bucket/prefix`.")]
    endpoint: Annotated[Text, Meta(description="The server; `http` on loopback only.")] = "https://s3.amazonaws.com"
    region: Annotated[Text, Meta(description="The bucket's region.")] = "us-east-1"
    access_key: Annotated[Secret | None, Meta(description="With `secret`; else the environment's, or the role's.")] = (
        None
    )
    secret: Annotated[Secret | None, Meta(description="The access key's secret.")] = None
    ca: Annotated[Path | None, Meta(description="Authority of the server, PEM; the system's when absent.")] = None
    objects: Annotated[Literal["jsonl", "parquet"], Meta(description="What an object holds.")] = "jsonl"
    every: Annotated[Duration, said("How long events are gathered for one object, at most 1h.", "1m")] = of(
        Duration.parse, "1m"
    )
    lock: Annotated[ObjectLock | None, Meta(description="Object Lock, when the bucket has it.")] = None
    batch_events: Annotated[int, Meta(description="Events of one object, at most.", ge=1, le=20_000)] = 20_000
    batch_bytes: Annotated[Size, said("Bytes of leaves in one object.", "16MiB")] = of(Size.parse, "16MiB")


Sink: TypeAlias = FileSink | SyslogSink | OtlpSink | SplunkSink | HttpSink | S3Sink
