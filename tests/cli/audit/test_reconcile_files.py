"""Server logs as they lie on disk: found out what they are, opened, put in order, and what is torn is counted."""

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.cli.audit.reconcile_files import STDIN, Form, read_logs
from gateway.core.errors import ConfigError
from gateway.evidence.reconcile_record import Record, Unread
from tests.evidence.server_log import PREFIX, Said

FORMS: dict[str, Callable[[Said], bytes]] = {"json": Said.as_json, "csv": Said.as_csv, "stderr": Said.as_stderr}


def lines(form: str, first: int, last: int) -> bytes:
    return b"".join(FORMS[form](Said(f"statement: SELECT {n}", n)) for n in range(first, last))


def read(*paths: Path, form: str = "", prefix: str = PREFIX, zone: str = "") -> list[str]:
    found = list(read_logs(paths, Form(form, prefix, zone, "payments"), lambda _done, _total: None))
    return [each.message.removeprefix("statement: SELECT ") if isinstance(each, Record) else "?" for each in found]


@pytest.mark.parametrize("form", FORMS)
def test_a_format_is_found_out(tmp_path: Path, form: str) -> None:
    (tmp_path / "log").write_bytes(lines(form, 0, 3))
    assert read(tmp_path / "log") == ["0", "1", "2"]
    assert read(tmp_path / "log", form=form) == ["0", "1", "2"]


@pytest.mark.parametrize("form", FORMS)
def test_files_are_read_in_the_order_of_their_times_whatever_they_are_called(tmp_path: Path, form: str) -> None:
    (tmp_path / "a").write_bytes(lines(form, 6, 8))
    (tmp_path / "b").write_bytes(gzip.compress(lines(form, 0, 2)))
    (tmp_path / "c").write_bytes(bz2.compress(lines(form, 4, 6)))
    (tmp_path / "d").write_bytes(lzma.compress(lines(form, 2, 4)))
    (tmp_path / "e").write_bytes(b"")
    assert read(*sorted(tmp_path.iterdir())) == [str(n) for n in range(8)]


def test_a_compressed_file_that_is_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = gzip.compress(lines("json", 0, 59), mtime=0)
    (tmp_path / "log.gz").write_bytes(whole[: len(whole) * 2 // 3])
    found = read(tmp_path / "log.gz")
    assert found[-1] == "?"
    assert found.count("?") <= 2
    assert found[0] in {"0", "?"}


def test_standard_input_is_a_log_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines("json", 0, 2))))
    assert read(STDIN) == ["0", "1"]


@pytest.mark.parametrize(
    ("form", "prefix", "zone", "data", "words"),
    [
        ("", "", "", lines("stderr", 0, 1), "--prefix"),
        ("", "%m [%p] ", "", lines("stderr", 0, 1), "%d"),
        ("", "%m %p %z", "", lines("stderr", 0, 1), "%z"),
        ("", "%t [%p] %u@%d ", "", lines("stderr", 0, 1), "no line"),
        ("json", "", "", lines("csv", 0, 1), "no line"),
        ("json", "", "Nowhere/At_All", lines("json", 0, 1), "time zone"),
    ],
)
def test_a_log_that_is_not_what_it_is_said_to_be_is_a_matter_of_usage(  # noqa: PLR0913, PLR0917 -- a table
    tmp_path: Path, form: str, prefix: str, zone: str, data: bytes, words: str
) -> None:
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(ConfigError, match=words):
        read(tmp_path / "log", form=form, prefix=prefix, zone=zone)


def test_progress_is_told_in_bytes_on_disk(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(lines("json", 0, 9))
    (tmp_path / "b.gz").write_bytes(gzip.compress(lines("json", 9, 20)))
    told: list[tuple[int, int]] = []
    found = list(read_logs(sorted(tmp_path.iterdir()), Form("", "", "", "payments"), lambda *each: told.append(each)))
    total = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert len(found) == 20
    assert not any(isinstance(each, Unread) for each in found)
    assert {each[1] for each in told} == {total}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (total, total)


def test_names_are_carried_by_every_format_that_can() -> None:
    assert [Form(form, prefix, "", "d").carries_names for form, prefix in (("json", ""), ("csv", ""), ("", PREFIX), ("stderr", "%m"))] == [True, True, True, False]  # fmt: skip  # noqa: E501
