"""What no single setting of a sink can tell: addresses that would leak, missing files, extras not installed."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from gateway.config import sinks as k
from gateway.config.checks import Remark, check_authority, check_file, check_secret
from gateway.config.document import Place
from gateway.config.quantities import Duration, Size, is_loopback

_SINKS: Final = ("evidence", "sinks")
_TIMEOUT: Final = (Duration(1), Duration(300))
_RETRY: Final = (Duration(1), Duration(3600))
_BATCH: Final = (Size(64 << 10), Size(16 << 20))
_EVENT: Final = (Size(2048), Size(1 << 20))
_RECEIVERS_TAKE: Final = 8192
"""bytes of a syslog message, RFC 5425 §4.3.1"""
_HTTP: Final = {"https": False, "http": True}
"""scheme → only on this machine"""
_SYSLOG: Final = {"tls": False, "tcp": True, "udp": True}
_BUCKET: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/=-]*)?")


def check_sinks(sinks: Sequence[k.Sink]) -> Iterator[Remark]:
    """Every sink by itself, and that no two have one name."""
    for name, times in Counter(sink.name for sink in sinks).items():
        if times > 1:
            yield Remark(_SINKS, f"{times} sinks have the name {name}: each needs a cursor of its own")
    for index, sink in enumerate(sinks):
        place: Place = (*_SINKS, index)
        yield from _check_amounts(sink, place)
        match sink:
            case k.FileSink():
                if sink.rotate < _BATCH[0]:
                    yield Remark((*place, "rotate"), "must be at least 64KiB")
            case k.SyslogSink():
                yield from _check_syslog(sink, place)
            case k.OtlpSink() | k.SplunkSink() | k.HttpSink():
                yield from _check_http(sink, place)
            case k.S3Sink():
                yield from _check_s3(sink, place)


def _check_amounts(sink: k.Sink, place: Place) -> Iterator[Remark]:
    if not _TIMEOUT[0] <= sink.timeout <= _TIMEOUT[1]:
        yield Remark((*place, "timeout"), "must be between 1s and 5m")
    if not _RETRY[0] <= sink.retry_max <= _RETRY[1]:
        yield Remark((*place, "retry_max"), "must be between 1s and 1h")
    if not _BATCH[0] <= sink.batch_bytes <= _BATCH[1]:
        yield Remark((*place, "batch_bytes"), "must be between 64KiB and 16MiB")
    if not _EVENT[0] <= sink.event_bytes <= _EVENT[1]:
        yield Remark((*place, "event_bytes"), "must be between 2KiB and 1MiB")


def _check_syslog(sink: k.SyslogSink, place: Place) -> Iterator[Remark]:
    yield from _check_address(sink.url, _SYSLOG, (*place, "url"))
    yield from _check_tls(sink.tls, (*place, "tls"))
    if sink.url.startswith("udp://"):
        yield Remark((*place, "url"), "udp has no answer of any kind: what it loses is lost in silence", warning=True)
    if sink.event_bytes > _RECEIVERS_TAKE:
        text = "most receivers cut messages at 8KiB: raise theirs too (rsyslog: maxMessageSize)"
        yield Remark((*place, "event_bytes"), text, warning=True)


def _check_http(sink: k.OtlpSink | k.SplunkSink | k.HttpSink, place: Place) -> Iterator[Remark]:
    yield from _check_address(sink.url, _HTTP, (*place, "url"))
    yield from _check_tls(sink.tls, (*place, "tls"))
    if sink.secret is not None:
        yield from check_secret(sink.secret, (*place, "secret"))
    match sink:
        case k.HttpSink() if sink.secret is None:
            yield Remark(place, "no secret: the receiver cannot tell our events from another's", warning=True)
        case k.OtlpSink():
            yield from _check_extra("opentelemetry.proto", "otlp", place)
        case k.SplunkSink():
            if urlsplit(sink.url).path not in {"", "/"}:
                yield Remark((*place, "url"), "has a path: give https://host:port, the rest is added")
            if not _TIMEOUT[0] <= sink.ack_timeout <= _RETRY[1]:
                yield Remark((*place, "ack_timeout"), "must be between 1s and 1h")


def _check_s3(sink: k.S3Sink, place: Place) -> Iterator[Remark]:
    if not _BUCKET.fullmatch(sink.url):
        yield Remark((*place, "url"), "write s3://bucket or s3://bucket/prefix")
    yield from _check_address(sink.endpoint, _HTTP, (*place, "endpoint"))
    if sink.ca is not None:
        yield from check_authority(sink.ca, (*place, "ca"))
    for name, secret in (("access_key", sink.access_key), ("secret", sink.secret)):
        if secret is not None:
            yield from check_secret(secret, (*place, name))
    if (sink.access_key is None) is not (sink.secret is None):
        yield Remark(place, "access_key and secret are given together, or neither")
    if not 0 <= sink.every <= _RETRY[1]:
        yield Remark((*place, "every"), "must be at most 1h")
    if sink.lock is not None and sink.lock.period < Duration(1):
        yield Remark((*place, "lock", "period"), "must be more than nothing")
    yield from _check_extra("minio", "s3", place)
    if sink.objects == "parquet":
        yield from _check_extra("duckdb", "history", place)


def _check_address(url: str, schemes: Mapping[str, bool], place: Place) -> Iterator[Remark]:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in schemes:
        yield Remark(place, f"write {' or '.join(f'{scheme}://host' for scheme in schemes)}")
    elif parts.username is not None or parts.password is not None:
        yield Remark(place, "holds a name or a password: secrets stand in `secret`, by reference")
    elif schemes[parts.scheme] and not is_loopback(host):
        yield Remark(place, f"{parts.scheme} is for this machine only: others could read and change the events")


def _check_tls(tls: k.SinkTls, place: Place) -> Iterator[Remark]:
    if tls.ca is not None:
        yield from check_authority(tls.ca, (*place, "ca"))
    if (tls.cert is None) is not (tls.key is None):
        yield Remark(place, "cert and key are given together, or neither")
    if tls.cert is not None:
        yield from check_file(tls.cert, (*place, "cert"))
    if tls.key is not None:
        yield from check_file(tls.key, (*place, "key"), private=True)


def _check_extra(module: str, extra: str, place: Place) -> Iterator[Remark]:
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        yield Remark((*place, "type"), f"needs packages that are not installed: pip install 'querywarden[{extra}]'")
