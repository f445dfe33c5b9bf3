"""Exported recordings are read by others: packets by Wireshark's dissector for PostgreSQL, by tshark."""

import subprocess
from pathlib import Path

import pytest

from gateway import cli
from tests.cli.audit.replaying.world import HOSTILE, Recorded, write


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recorded, Path]:
    recorded = write(tmp_path_factory.mktemp("exported"))
    path = recorded.folder.parent / "session.pcapng"
    assert cli.main(recorded.replay("--export", "pcapng", "-o", str(path))) == 0
    return recorded, path


def tshark(path: Path, *arguments: str) -> list[str]:
    """Its lines, checksums checked."""
    checking = ("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE")
    done = subprocess.run(
        ["tshark", "-r", str(path), *checking, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def fields(path: Path, where: str, *names: str) -> list[list[str]]:
    chosen = [part for name in names for part in ("-e", name)]
    return [line.split("\t") for line in tshark(path, "-Y", where, "-T", "fields", *chosen)]


def test_every_statement_is_read_with_its_decision(capture: tuple[Recorded, Path]) -> None:
    recorded, path = capture
    read = fields(path, "pgsql.query", "frame.comment", "pgsql.type", "pgsql.query")
    assert [(comment, kind) for comment, kind, _ in read] == [
        (f"decision {recorded.dids[0]}", "Simple query"),
        (f"decision {recorded.dids[1]}", "Parse"),
        (f"decision {recorded.dids[2]}", "Simple query"),
        (f"decision {recorded.dids[3]}", "Simple query"),
    ]
    assert [text for _, _, text in read][1:] == ["SELECT $1::int, $2", "COPY t FROM STDIN", "DROP TABLE t"]
    assert HOSTILE not in "".join(text for _, _, text in read)


def test_every_answer_is_read(capture: tuple[Recorded, Path]) -> None:
    _, path = capture
    kinds = [kind for line in fields(path, "pgsql.frontend == 0", "pgsql.type") for kind in line[0].split(",")]
    wanted = {
        "Data row": 3, "Row description": 2, "Command completion": 3, "Error": 1, "Parse completion": 1,
        "Bind completion": 1, "Ready for query": 5, "Parameter status": 1,
    }  # fmt: skip
    assert {kind: kinds.count(kind) for kind in wanted} == wanted


def test_nothing_in_it_is_malformed_and_no_packet_is_lost_or_sent_twice(capture: tuple[Recorded, Path]) -> None:
    _, path = capture
    wrong = "_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0"
    assert tshark(path, "-Y", wrong) == []
    assert len(tshark(path, "-Y", "tcp")) > 10
