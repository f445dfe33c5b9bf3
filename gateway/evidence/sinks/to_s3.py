"""Objects of an S3 bucket: a batch's events of one day in one object, as JSON lines or as Parquet.

<prefix>/dt=<day, UTC>/<origin>-<first leaf>-<last leaf>.jsonl

An object is written by one PUT and never touched again. With `lock` it cannot be changed or removed before its time, by
nobody (compliance) or only by who may by-pass it (governance): the bucket must have been made with Object Lock.
"""

import contextlib
import datetime as dt
import io
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.credentials.credentials import Credentials
from minio.credentials.providers import ChainedProvider, EnvAWSProvider, IamAwsProvider, Provider
from minio.error import MinioException
from minio.retention import Retention

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.aside import aside
from gateway.evidence.sinks.outgoing import Outgoing
from gateway.evidence.sinks.posting import Reveal

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_KINDS: Final = {"jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


class Bucket(NamedTuple):
    """Where objects go."""

    endpoint: str
    """https://host:port of an S3-compatible server"""
    region: str
    bucket: str
    prefix: str
    timeout: float
    ca: Path | None = None
    lock: str = ""
    """`compliance`, `governance`, or nothing"""
    lock_seconds: int = 0
    scratch: Path = Path()
    """a folder of our own, where Parquet is made"""


class Referenced(Provider):
    """Keys by reference, read anew for each request, so that they can be changed."""

    def __init__(self, access_key: Reveal, secret_key: Reveal) -> None:
        self._access_key, self._secret_key = access_key, secret_key

    def retrieve(self) -> Credentials:
        """The keys. Raises Unavailable."""
        return Credentials(self._access_key(), self._secret_key())


def keys(given: tuple[Reveal, Reveal] | None) -> Provider:
    """Access key and secret when they are given; else those of the environment, else those of the machine's role."""
    return Referenced(*given) if given else ChainedProvider([EnvAWSProvider(), IamAwsProvider()])


class S3Receiver:
    """One bucket. The client blocks, so it works in a thread."""

    def __init__(self, bucket: Bucket, credentials: Provider, objects: str, clock: Clock) -> None:
        self._bucket, self._kind, self._clock = bucket, objects, clock
        timeout = urllib3.Timeout(connect=bucket.timeout, read=bucket.timeout)
        pool = urllib3.PoolManager(
            timeout=timeout,
            retries=False,
            cert_reqs="CERT_REQUIRED",
            ca_certs=str(bucket.ca) if bucket.ca else None,
        )
        self._encode = lines if objects == "jsonl" else _parquet(bucket.scratch)
        parts = urlsplit(bucket.endpoint)
        self._client = Minio(
            parts.netloc,
            secure=parts.scheme == "https",
            region=bucket.region,
            credentials=credentials,
            http_client=pool,
        )

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """One object for each day of the batch."""
        return await self._tried(self._put, events)

    async def probe(self) -> Answer:
        """Whether the bucket is there; with a lock, whether it keeps one."""
        return await self._tried(self._look, ())

    async def close(self) -> None:
        """The pool closes with the process."""

    async def _tried(self, work: Callable[[Sequence[Outgoing]], Answer], events: Sequence[Outgoing]) -> Answer:
        try:
            return await aside(work, events)
        except Unavailable as error:
            return Later(error.code)
        except MinioException as error:
            return Later(f"s3.{getattr(error, 'code', '') or type(error).__name__}")
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Later(f"s3.{type(error).__name__}")

    def _put(self, events: Sequence[Outgoing]) -> Answer:
        for day, some in itertools.groupby(events, _day):
            part = list(some)
            data = self._encode(part)
            stored = self._client.put_object(
                self._bucket.bucket,
                self._key(day, part),
                io.BytesIO(data),
                len(data),
                content_type=_KINDS[self._kind],
                retention=self._retention(),
            )
            if not stored.etag:
                return Later("s3.no_etag")
        return Taken()

    def _look(self, _: Sequence[Outgoing]) -> Answer:
        if not self._client.bucket_exists(self._bucket.bucket):
            return Later("s3.no_bucket")
        if self._bucket.lock:
            with contextlib.suppress(ValueError):  # it keeps one, and has no rule of its own
                self._client.get_object_lock_config(self._bucket.bucket)  # S3Error when it keeps none
        return Taken()

    def _key(self, day: str, events: Sequence[Outgoing]) -> str:
        first, last = events[0].position, events[-1].position
        origin = events[0].id.partition("#")[0].replace("/", "_")
        name = f"{origin}-{first.number:012d}-{last.number:012d}.{self._kind}"
        return "/".join(part for part in (self._bucket.prefix.strip("/"), f"dt={day}", name) if part)

    def _retention(self) -> Retention | None:
        if not self._bucket.lock:
            return None
        until = _EPOCH + dt.timedelta(seconds=self._clock.now_ns() // 10**9 + self._bucket.lock_seconds)
        return Retention(self._bucket.lock.upper(), until)


def lines(events: Sequence[Outgoing]) -> bytes:
    """JSON lines."""
    return b"".join(event.payload + b"\n" for event in events)


def _parquet(scratch: Path) -> Callable[[Sequence[Outgoing]], bytes]:
    from gateway.evidence.sinks.parquet import table  # noqa: PLC0415 -- duckdb is an extra

    return lambda events: table(events, scratch)


def _day(event: Outgoing) -> str:
    return f"{_EPOCH + dt.timedelta(seconds=event.time_ns // 10**9):%Y-%m-%d}"
