"""Objects lie in a real S3 server: one for each day of a batch, locked when that is asked for."""

import datetime as dt
from collections.abc import Iterator

import msgspec
import pytest
from minio import Minio
from minio.error import S3Error

from gateway.core.errors import Unavailable
from gateway.evidence.sinks.answers import Answer, Later, Taken
from gateway.evidence.sinks.to_s3 import Bucket, S3Receiver, keys, lines
from tests.evidence.sinks.leaves import events, every_leaf
from tests.evidence.world import NOW, TickClock
from tests.support.receivers import ACCESS_KEY, SECRET_KEY, Receiver, Tls, s3_client, s3_server, tls

pytestmark = pytest.mark.enable_socket
SENT = events("ocsf", every_leaf())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Receiver, Tls, Minio]]:
    folder = tmp_path_factory.mktemp("s3")
    made = tls(folder)
    receiver = s3_server(folder, made)
    with receiver.running():
        client = s3_client(receiver, made)
        client.make_bucket("locked", object_lock=True)
        client.make_bucket("plain")
        yield receiver, made, client


Server = tuple[Receiver, Tls, Minio]


def s3(server: Server, bucket: str, objects: str = "jsonl", lock: str = "", secret: str = SECRET_KEY) -> S3Receiver:
    endpoint, ca = f"https://127.0.0.1:{server[0].port}", server[1].server.ca
    place = Bucket(endpoint, "us-east-1", bucket, "/pci", 5, ca, lock, 86_400, server[0].folder)
    return S3Receiver(place, keys((lambda: ACCESS_KEY, lambda: secret)), objects, TickClock(_now()))


def _now() -> int:
    return int(dt.datetime.now(dt.UTC).timestamp()) * 10**9


async def test_a_batch_of_two_days_is_two_objects_of_its_lines(server: Server) -> None:
    first, next_day = SENT[:5], str(NOW + 86_400 * 10**9)
    second = [event._replace(leaf=msgspec.structs.replace(event.leaf, t=next_day)) for event in SENT[5:8]]
    assert await s3(server, "plain").send([*first, *second]) == Taken()
    found = {each.object_name: each for each in server[2].list_objects("plain", recursive=True)}
    assert sorted(found) == [
        "pci/dt=2030-03-17/log.test_0011223344556677_1-000000000040-000000000044.jsonl",
        "pci/dt=2030-03-18/log.test_0011223344556677_1-000000000045-000000000047.jsonl",
    ]
    content = server[2].get_object("plain", min(map(str, found)))
    assert content.read() == lines(first)
    content.close()


@pytest.mark.parametrize("objects", ["jsonl", "parquet"])
async def test_a_locked_object_cannot_be_removed_before_its_time(server: Server, objects: str) -> None:
    receiver, client = s3(server, "locked", objects, "compliance"), server[2]
    assert await receiver.probe() == Taken()
    assert await receiver.send(SENT) == Taken()
    names = [str(each.object_name) for each in client.list_objects("locked", recursive=True)]
    (name,) = [each for each in names if each.endswith(objects)]
    retention = client.get_object_retention("locked", name)
    assert retention is not None
    assert retention.mode == "COMPLIANCE"
    assert retention.retain_until_date > dt.datetime.now(dt.UTC) + dt.timedelta(hours=23)
    with pytest.raises(S3Error, match="AccessDenied"):
        client.remove_object("locked", name, version_id=client.stat_object("locked", name).version_id)


@pytest.mark.parametrize(
    ("bucket", "lock", "secret", "probed", "sent"),
    [
        ("plain", "compliance", SECRET_KEY, "s3.ObjectLockConfigurationNotFoundError", "s3.InvalidRequest"),
        ("nowhere", "", SECRET_KEY, "s3.no_bucket", "s3.NoSuchBucket"),
        ("plain", "", "wrong", "s3.AccessDenied", "s3.SignatureDoesNotMatch"),
    ],
)
async def test_what_cannot_be_stored_is_for_later(  # noqa: PLR0913, PLR0917 -- the table's columns
    server: Server, bucket: str, lock: str, secret: str, probed: str, sent: str
) -> None:
    receiver = s3(server, bucket, lock=lock, secret=secret)
    assert (await receiver.probe(), await receiver.send(SENT)) == (Later(probed), Later(sent))


async def test_a_server_that_is_not_there_or_not_known_is_for_later(server: Server) -> None:
    answers: list[Answer] = []
    for port, ca in ((1, server[1].server.ca), (server[0].port, None)):
        place = Bucket(f"https://127.0.0.1:{port}", "us-east-1", "plain", "", 2, ca)
        receiver = S3Receiver(place, keys((lambda: "a", lambda: "b")), "jsonl", TickClock())
        answers.append(await receiver.send(SENT))
        await receiver.close()
    assert all(isinstance(answer, Later) for answer in answers)


async def test_a_key_that_cannot_be_read_is_for_later(server: Server) -> None:
    def gone() -> str:
        raise Unavailable("config.secret", "gone")

    place = Bucket(f"https://127.0.0.1:{server[0].port}", "us-east-1", "plain", "", 2, server[1].server.ca)
    assert await S3Receiver(place, keys((gone, gone)), "jsonl", TickClock()).send(SENT) == Later("config.secret")
