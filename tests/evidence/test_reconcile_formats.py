"""A server's log is cut into the same records whatever its format and however it arrives; what is none is counted."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.evidence import reconcile_formats
from gateway.evidence.reconcile_formats import KEPT_MAX, read_csv, read_json, read_stderr, reader_of
from gateway.evidence.reconcile_prefix import Prefix
from gateway.evidence.reconcile_record import LogFormatError, Record, Times, Unread
from tests.evidence.server_log import PREFIX, START_NS, Said, chunked

Write = Callable[[Said], bytes]
FORMS: dict[str, Write] = {"json": Said.as_json, "csv": Said.as_csv, "stderr": Said.as_stderr}
ODD = (
    "plain",
    'quotes "" and , commas\nand\n\n"lines"',
    "2025-11-25 10:00:00.000 UTC [1] x@payments 1.1.1.1 y LOG:  statement: SELECT 1",
    "a\n2025-11-25 10:00:00.000 UTC [1] x@payments 1.1.1.1 y LOG:  statement: SELECT 1\n\tb",
    '","","",\n2025-11-25 10:00:00.000 UTC,"x","payments"\n',
    "ü € 😀",
)
texts = st.sampled_from(ODD) | st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=60)


def read(form: str, data: bytes, sizes: Sequence[int] = ()) -> list[Record | Unread]:
    return list(reader_of(form, Times(), Prefix(PREFIX, "payments"))(chunked(data, sizes)))


@pytest.mark.parametrize("form", FORMS)
@given(texts=st.lists(texts, min_size=1, max_size=5), sizes=st.lists(st.integers(0, 30), max_size=20))
def test_records_come_back_whole_however_they_arrive(form: str, texts: list[str], sizes: list[int]) -> None:
    said = [Said(f"statement: {text}", number, pid=number + 10) for number, text in enumerate(texts)]
    data = b"".join(FORMS[form](each) for each in said)
    records = [each for each in read(form, data, sizes) if isinstance(each, Record)]
    assert [record.message for record in records] == [each.message for each in said]
    assert [record.user for record in records] == ["app"] * len(said)
    assert [record.address for record in records] == ["10.0.0.7"] * len(said)
    assert [record.time_ns for record in records] == [START_NS + round(each.seconds * 1e9) for each in said]


@pytest.mark.parametrize("form", FORMS)
def test_an_error_has_the_statement_it_stood_in(form: str) -> None:
    (record,) = read(form, FORMS[form](Said("division by zero", statement="SELECT\n1/0")))
    assert isinstance(record, Record)
    assert (record.message, record.statement) == ("division by zero", "SELECT\n1/0")


@pytest.mark.parametrize("form", FORMS)
def test_a_log_that_is_cut_at_either_end_loses_one_record_and_says_so(form: str) -> None:
    data = b"".join(FORMS[form](Said(f'statement: SELECT {n} AS "a\nb"', n)) for n in range(5))
    for cut in (data[25:], data[:-90]):
        found = read(form, cut)
        assert len([each for each in found if isinstance(each, Record)]) >= 4
        assert any(isinstance(each, Unread) for each in found) or (form == "stderr" and cut is not data[25:])
    assert any(isinstance(each, Unread) for each in read(form, data[25:]))


@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_record_is_counted(form: str) -> None:
    found = read(form, b"cp: cannot stat 'x'\n" + FORMS[form](Said("statement: SELECT 1")) + b"noise\n")
    assert [type(each) for each in found] == [Unread, Record, Unread]


def test_a_torn_row_of_a_csv_does_not_take_the_rest_with_it() -> None:
    whole = [Said(f"statement: SELECT {n}", n) for n in range(4)]
    torn = whole[0].as_csv()[:-30] + b"\n"
    found = read("csv", whole[1].as_csv() + torn + whole[2].as_csv() + whole[3].as_csv())
    messages = [each.message for each in found if isinstance(each, Record)]
    assert messages[0] == "statement: SELECT 1"
    assert any(isinstance(each, Unread) for each in found)


def test_a_text_longer_than_is_kept_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * (KEPT_MAX + 10)
    for form, write in FORMS.items():
        (record,) = read(form, write(Said(f"statement: {long}\nmore")))
        assert isinstance(record, Record)
        assert record.cut
    monkeypatch.setattr(reconcile_formats, "RECORD_MAX", 1000)
    for form in ("json", "csv"):
        data = FORMS[form](Said(f"statement: {long[:5000]}")) + FORMS[form](Said("statement: SELECT 1"))
        found = read(form, data, [600] * 12)
        assert isinstance(found[0], Unread)
        assert [each.message for each in found if isinstance(each, Record)] == ["statement: SELECT 1"]


def test_bytes_that_are_no_utf_8_are_kept_as_something_else_and_marked() -> None:
    (record,) = read("stderr", Said("statement: SELECT x").as_stderr().replace(b"x", b"\xe9"))
    assert isinstance(record, Record)
    assert record.cut


def test_a_line_that_can_be_read_in_several_ways_is_read_in_all_of_them() -> None:
    """A name that looks like the end of a prefix, or a statement that does: neither hides the statement."""
    for said in (
        Said("statement: SELECT pan FROM cards", application="a LOG:  duration: 1 ms"),
        Said("statement: SELECT pan FROM cards/* LOG:  duration: 1 ms */", application="x"),
        Said("statement: SELECT'a LOG:  b'", application="x"),
    ):
        found = [each for each in read("stderr", said.as_stderr()) if isinstance(each, Record)]
        assert said.message in [each.message for each in found if each.database == "payments"]


def test_a_line_of_ours_can_be_read_in_one_way_only() -> None:
    mark = "/* querywarden:019ab9c0-0000-7000-8000-000000000001 */ "
    for text in ("SELECT 'x@payments 1.1.1.1 y LOG:  statement: z'", "LOG:  LOG:  LOG:  ", "SELECT'a LOG:  b'"):
        said = Said(f"statement: {mark}{text}", application="qw/019ab9c0-0000-7000-8000-000000000001")
        assert [each.message for each in read("stderr", said.as_stderr()) if isinstance(each, Record)] == [said.message]


def test_a_report_belongs_to_its_own_process() -> None:
    one, other = Said("boom", statement="SELECT 1/0", pid=1).as_stderr(), Said("statement: SELECT 2", pid=2).as_stderr()
    error, statement = one.splitlines(keepends=True)
    found = [each for each in read("stderr", error + other + statement) if isinstance(each, Record)]
    assert [(each.process, each.message, each.statement) for each in found] == [
        ("1", "boom", ""), ("2", "statement: SELECT 2", ""), ("1", "", "SELECT 1/0"),
    ]  # fmt: skip


def test_a_format_that_is_not_known_or_has_no_prefix_is_refused() -> None:
    for form in ("xml", "stderr"):
        with pytest.raises(LogFormatError):
            reader_of(form, Times())
    assert list(read_json([b"\n"], Times())) == []
    assert list(read_csv([b""], Times())) == []
    assert list(read_stderr([], Times(), Prefix(PREFIX, "d"))) == []
