"""Copies of the log reach real receivers whatever is killed: nothing lost, no two ids for one leaf, traffic goes on.

QUERYWARDEN_SINKS says for how many seconds agents work between two events of the story.
"""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import msgspec
import psycopg
import pytest

from gateway.evidence.scan import scan
from gateway.evidence.view import open_views
from tests.support import receivers as r
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, await_listener, running_gateway, serve
from tests.support.postgres import Cluster
from tests.support.recover import CARDS, IN_A_NOTE
from tests.support.waiting import http_get, until

SECONDS = float(os.environ.get("QUERYWARDEN_SINKS", "0.4"))
DELIVERY_SECONDS = 90.0
BUCKET, PARQUET = "evidence", "history"
SINKS = ("copy", "siem", "otel", "splunk", "hook", "vault", "history")


class Receivers:
    """Every receiver, each with a folder of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folders = {name: folder / name for name in SINKS}
        for each in self.folders.values():
            each.mkdir()
        self.tls = r.tls(folder)
        self.s3 = r.s3_server(self.folders["vault"], self.tls)
        self.processes = {
            "siem": r.rsyslog(self.folders["siem"], self.tls),
            "otel": r.otel(self.folders["otel"]),
            "splunk": r.collectors(self.folders["splunk"]),
            "vault": self.s3,
        }
        for process in self.processes.values():
            stack.enter_context(process.running())
        self.client = r.s3_client(self.s3, self.tls)
        self.client.make_bucket(BUCKET, object_lock=True)
        self.client.make_bucket(PARQUET)

    def settings(self) -> list[dict[str, object]]:
        keys = {"ca": str(self.tls.server.ca), "cert": str(self.tls.client), "key": str(self.tls.client_key)}
        usual = {"retry_max": "1s", "timeout": "5s"}
        collector = f"http://127.0.0.1:{self.processes['splunk'].port}"
        s3 = {
            "type": "s3", "endpoint": f"https://127.0.0.1:{self.s3.port}", "ca": keys["ca"], "every": "1s",
            "access_key": {"env": "S3_KEY"}, "secret": {"env": "S3_SECRET"},
        }  # fmt: skip
        sinks: list[dict[str, object]] = [
            {"name": "copy", "type": "file", "path": str(self.folders["copy"] / "events.jsonl"), "rotate": "256KiB",
             "bodies": True},
            {"name": "siem", "type": "syslog", "url": f"tls://127.0.0.1:{self.processes['siem'].port}", "tls": keys},
            {"name": "otel", "type": "otlp", "url": f"http://127.0.0.1:{self.processes['otel'].port}/v1/logs"},
            {"name": "splunk", "type": "splunk_hec", "url": collector, "secret": {"env": "HEC"}, "ack_timeout": "5s"},
            {"name": "hook", "type": "http", "url": f"{collector}/hook", "secret": {"env": "HEC"}, "format": "ecs"},
            {"name": "vault", "url": f"s3://{BUCKET}/pci", "lock": {"period": "1d"}, "format": "raw", **s3},
            {"name": "history", "url": f"s3://{PARQUET}", "objects": "parquet", **s3},
        ]  # fmt: skip
        return [{**sink, **usual} for sink in sinks]

    def ids(self) -> Mapping[str, list[str]]:
        """What each has, by id, in the order in which it came."""
        hook = self.folders["splunk"] / "webhook.jsonl"
        hec = (self.folders["splunk"] / "splunk.jsonl").read_text().splitlines()
        return {
            "copy": [_uid(line) for path in _rotated(self.folders["copy"]) for line in path.read_text().splitlines()],
            "siem": list(map(_uid, (self.folders["siem"] / "events.jsonl").read_text().splitlines())),
            "otel": list(map(_uid, r.otel_bodies(self.folders["otel"]))),
            "splunk": [str(json.loads(line)["fields"]["querywarden_id"]) for line in hec if line],
            "hook": [str(json.loads(line)["event"]["event"]["id"]) for line in hook.read_text().splitlines()],
            "vault": [str(json.loads(line)["id"]) for data in self._objects(BUCKET) for line in data.splitlines()],
            "history": [each for data in self._objects(PARQUET) for each in _rows(self.folders["history"], data)],
        }

    def readable(self) -> tuple[Path, ...]:
        """All that they wrote, Parquet as the events in it: in compressed bytes, numbers in a row may meet."""
        texts = [folder for name, folder in self.folders.items() if name != "vault"]
        return (*texts, self.folders["vault"] / "objects" / BUCKET)

    def everything(self) -> bytes:
        """All that they wrote."""
        files = [path for folder in self.folders.values() for path in folder.rglob("*") if path.is_file()]
        return b"\n".join(path.read_bytes() for path in files)

    def _objects(self, bucket: str) -> Iterator[bytes]:
        for found in self.client.list_objects(bucket, recursive=True):
            response = self.client.get_object(bucket, str(found.object_name))
            yield response.read()
            response.close()
            response.release_conn()


def _uid(line: str) -> str:
    return str(json.loads(line)["metadata"]["uid"])


def _rotated(folder: Path) -> list[Path]:
    """Full files in the order of their first leaf, then the one that is written."""
    full = sorted(folder.glob("events-*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    return [*full, folder / "events.jsonl"]


def _rows(folder: Path, data: bytes) -> list[str]:
    path = folder / "object.parquet"
    path.write_bytes(data)
    rows = duckdb.read_parquet(str(path)).project("id, event").fetchall()
    path.unlink()
    with (folder / "events.jsonl").open("a") as file:
        file.writelines(f"{event}\n" for _, event in rows)
    return [str(each) for each, _ in rows]


class Agents:
    """Ask until they are told to stop; whoever loses the gateway connects again."""

    def __init__(self, gateway: Gateway) -> None:
        self.answers = 0
        self._stop = threading.Event()
        self._gateway = gateway
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(2)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        token = self._gateway.token(f"agent-{number}")
        while not self._stop.is_set():
            with suppress(psycopg.OperationalError), self._gateway.connect("payments", token) as connection:
                while not self._stop.is_set():
                    connection.execute("SELECT id, brand, pan FROM cards WHERE id = 1").fetchall()
                    connection.execute("SELECT name FROM customers WHERE id = %s", (number,)).fetchall()
                    with suppress(psycopg.errors.InsufficientPrivilege):
                        connection.execute("DROP TABLE cards")
                    self.answers += 3
                    time.sleep(0.01)  # enough to do for two processors
            time.sleep(0.05)


def metrics(port: int, name: str) -> dict[str, float]:
    """A number for each sink."""
    _, _, body = http_get(f"http://127.0.0.1:{port}/metrics")
    found = re.findall(rf'^querywarden_sink_{name}\{{sink="([a-z]+)"\}} (\S+)$', body.decode(), re.MULTILINE)
    return {sink: float(value) for sink, value in found}


def signed(gateway: Gateway) -> list[str]:
    """Every id there is, in order."""
    return [
        f"{view.reader.checkpoint.origin}#{number}"
        for view in reversed(list(open_views(gateway.data)))
        for number in range(view.signed)
    ]


def kill_and_start(gateway: Gateway) -> None:
    gateway.process.send_signal(signal.SIGKILL)
    gateway.process.wait()
    gateway.process = serve(gateway.folder / "gateway.yaml")
    await_listener(gateway)


@pytest.fixture
def upstream(cluster: Cluster, payments_template: str) -> Iterator[Upstream]:
    name = cluster.create_database(payments_template)
    yield Upstream(name)
    cluster.drop_database(name)


@pytest.mark.timeout(240 + 20 * SECONDS)
def test_every_leaf_reaches_every_receiver_whatever_is_killed(
    cluster: Cluster, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    for name, value in {"HEC": r.TOKEN, "S3_KEY": r.ACCESS_KEY, "S3_SECRET": r.SECRET_KEY}.items():
        monkeypatch.setenv(name, value)
    http = r.free_port()
    with ExitStack() as stack:
        there = Receivers(tmp_path, stack)
        evidence = {"evidence": {"checkpoint_interval": "200ms", "sinks": there.settings()}}
        gateway = stack.enter_context(
            running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments"), more=evidence, http=http)
        )
        agents = Agents(gateway)
        stack.callback(agents.stop)
        until(lambda: min(metrics(http, "sent_events_total").values(), default=0) > 0)
        answered_while_down = _tell_the_story(gateway, there, agents)
        agents.stop()
        until(lambda: set(metrics(http, "lag_events")) == set(SINKS))
        _await_everything(gateway, there)
        assert gateway.stop() == 0
        assert answered_while_down > 0
        _check(gateway, there, say)
        found = scan(None, there.readable(), None)
        assert (found.total, found.unread) == (0, ())
        for needle in (*CARDS, IN_A_NOTE, r.TOKEN, *gateway.tokens):
            assert needle.encode() not in there.everything()


def _await_everything(gateway: Gateway, there: Receivers) -> None:
    """Return once every receiver has every leaf there is now; fails with what is missing where."""
    wanted, deadline = set(signed(gateway)), time.monotonic() + DELIVERY_SECONDS
    while missing := {name: sorted(wanted - set(ids)) for name, ids in there.ids().items() if wanted - set(ids)}:
        found = {name: (len(ids), ids[:3], ids[-3:]) for name, ids in missing.items()}
        assert time.monotonic() < deadline, f"of {len(wanted)} missing: {found}"
        time.sleep(0.5)


@contextmanager
def bad_receivers() -> Iterator[dict[str, int]]:
    """One that never answers, one that accepts and closes, one that refuses everything; their ports by name."""

    class Refusing(BaseHTTPRequestHandler):
        timeout = 1  # of a connection that is kept

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(400)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    def close(server: socket.socket) -> None:
        with suppress(OSError):
            while True:
                server.accept()[0].close()

    with (
        socket.create_server(("127.0.0.1", 0)) as slow,
        socket.create_server(("127.0.0.1", 0)) as lying,
        ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as refusing,
    ):
        threads = [threading.Thread(target=close, args=(lying,)), threading.Thread(target=refusing.serve_forever)]
        for thread in threads:
            thread.start()
        try:
            yield {"slow": slow.getsockname()[1], "lying": lying.getsockname()[1], "refusing": refusing.server_port}
        finally:
            refusing.shutdown()
            lying.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join()


def test_receivers_that_hang_lie_or_refuse_keep_neither_traffic_nor_the_others(
    cluster: Cluster, upstream: Upstream, tmp_path: Path
) -> None:
    http, usual = r.free_port(), {"retry_max": "1s", "timeout": "1s", "type": "http"}
    with bad_receivers() as ports, ExitStack() as stack:
        sinks: list[dict[str, object]] = [{"name": "copy", "type": "file", "path": str(tmp_path / "events.jsonl")}]
        sinks += [{"name": name, "url": f"http://127.0.0.1:{port}", **usual} for name, port in ports.items()]
        sinks.append({"name": "syslog", "url": f"tcp://127.0.0.1:{ports['lying']}", **usual, "type": "syslog"})
        evidence = {"evidence": {"checkpoint_interval": "200ms", "sinks": sinks}}
        gateway = stack.enter_context(
            running_gateway(cluster, {"payments": upstream}, everything_but_clear("payments"), more=evidence, http=http)
        )
        agents = Agents(gateway)
        stack.callback(agents.stop)
        bad = {"slow", "lying", "refusing", "syslog"}
        until(lambda: {name for name, number in metrics(http, "failing").items() if number} == bad)
        before = agents.answers
        until(lambda: agents.answers > before + 30)
        agents.stop()
        wanted = signed(gateway)
        until(lambda: set(wanted) <= set(map(_uid, (tmp_path / "events.jsonl").read_text().splitlines())))
        until(lambda: all(metrics(http, "lag_events")[name] >= len(wanted) for name in bad))
        assert set(metrics(http, "parked_events").values()) == {0.0}
        kinds = {msgspec.json.decode(leaf)["type"] for view in open_views(gateway.data) for _, leaf in view.upwards(0)}
        assert "sink.failed" in kinds
        assert "sink.rejected" not in kinds


def _tell_the_story(gateway: Gateway, there: Receivers, agents: Agents) -> int:
    """Each receiver dies, then the gateway, then all of them at once; how many statements were answered meanwhile."""
    for process in there.processes.values():
        time.sleep(SECONDS / 2)
        process.kill()
        time.sleep(SECONDS / 2)
        process.start()
    time.sleep(SECONDS)
    kill_and_start(gateway)
    time.sleep(SECONDS)
    for process in there.processes.values():
        process.kill()
    before = agents.answers
    time.sleep(3 * SECONDS)
    answered = agents.answers - before
    kill_and_start(gateway)
    for process in there.processes.values():
        process.start()
    return answered


def _check(gateway: Gateway, there: Receivers, say: Callable[[str], None]) -> None:
    """Nothing is missing, nothing is invented, and the first coming of each is in order."""
    all_ids = signed(gateway)
    place = {each: number for number, each in enumerate(all_ids)}
    repeated = {}
    for name, ids in there.ids().items():
        assert set(ids) <= set(all_ids), name
        first = list(dict.fromkeys(ids))
        numbers = [place[each] for each in first]
        assert numbers == sorted(numbers), name
        assert numbers == list(range(len(numbers))), name
        repeated[name] = len(ids) - len(first)
    say(f"sinks: {len(all_ids):,} leaves to {len(SINKS)} receivers through kills; repeated {repeated}")
