"""What a recording keeps of messages: same length, same structure, no card number, no password."""

import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.cards import find_card_numbers
from gateway.core.disguised import find_any
from gateway.core.statement import Column, Hazard, Relation, Statement
from gateway.frontends.postgres.redacting import (
    COPY_LONG,
    LONG,
    CopyIn,
    blank_exempt,
    blank_shown,
    keeps_values,
    redact,
    without_content,
)
from gateway.masking.fields import Reading
from gateway.wire.postgres import client_messages as client
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import ClientReader, DataRun, Frame
from tests.support.card_forms import BINARY, TEXTS

CARD = "4111111111111111"
SPACED = "4111 1111 1111 1111"
STARS = bytes.maketrans(b"0123456789", b"*" * 10)


def frame(raw: bytes) -> Frame:
    return Frame(raw[:1], raw)


def kept(raw: bytes, *, values: bool = True) -> bytes:
    shown = redact(frame(raw), values=values)
    assert len(shown) == len(raw)
    assert shown[:5] == raw[:5]
    return shown


def statement(**facts: object) -> Statement:
    bare = Statement(action="select", category="read", text_redacted="", sha256="", fingerprint="")
    return msgspec.structs.replace(bare, **facts)


def test_an_innocent_statement_is_kept_as_it_was_sent() -> None:
    raw = client.query("SELECT name FROM customers WHERE id = 17 -- why")
    assert kept(raw) == raw
    assert kept(raw, values=False) == client.query("SELECT name FROM customers WHERE id = 00 --****")


def test_card_numbers_go_whatever_may_stay() -> None:
    assert kept(client.query(f"SELECT '{SPACED}', 7")) == client.query("SELECT '**** **** **** ****', 7")


@pytest.mark.parametrize("form", TEXTS)
def test_a_card_number_in_any_form_goes_from_texts_and_from_parameters(form: str) -> None:
    written = TEXTS[form](CARD).replace("'", "''")
    for raw in (client.query(f"SELECT '{written}'"), client.bind("", "", [written.encode()])):
        assert written.encode() not in kept(raw)


@pytest.mark.parametrize("form", BINARY)
def test_a_card_number_in_a_binary_parameter_goes(form: str) -> None:
    value = BINARY[form](CARD)
    value = value[4:] if value[:3] == b"\0\0\0" else value
    raw = client.bind("p", "s", [None, value, b"x"], [1], [1])
    shown = client.parse(frame(kept(raw)))
    assert isinstance(shown, client.Bind)
    assert shown.values[1] != value
    assert (shown.values[0], shown.values[2], shown.portal, shown.statement) == (None, b"x", "p", "s")


def test_where_values_may_not_stay_none_of_a_bind_does() -> None:
    raw = client.bind("", "", [b"123", struct.pack(">i", 123), None], [0, 1, 0])
    assert kept(raw, values=False) == client.bind("", "", [b"***", bytes(4), None], [0, 1, 0])


def test_a_password_in_a_statement_goes_with_every_other_value() -> None:
    raw = client.query("ALTER ROLE anna PASSWORD 'hunter2' VALID UNTIL '2030'")
    assert kept(raw) == client.query("ALTER ROLE anna PASSWORD '*******' VALID UNTIL '****'")


def test_of_what_is_long_no_value_is_kept() -> None:
    text = "SELECT '" + "v" * LONG + "'"
    assert kept(client.query(text)) == client.query("****** " + "*" * (LONG + 2))
    for binary, filling in ((0, b"*"), (1, b"\0")):
        raw = client.bind("", "", [b"v" * (LONG + 1)], [binary])
        assert kept(raw) == client.bind("", "", [filling * (LONG + 1)], [binary])


def test_a_token_in_a_parameter_goes() -> None:
    raw = client.bind("", "", [b"x eyJhbGciOiJIUzI1NiJ9.e30.c2ln y"])
    assert b"eyJ" not in kept(raw)


@pytest.mark.parametrize("raw", [client.password("secret"), client.sasl_initial_response("SCRAM-SHA-256", b"n,,n=x")])
def test_of_credentials_only_kind_and_length_are_kept(raw: bytes) -> None:
    assert kept(raw)[5:] == bytes(len(raw) - 5)


def test_a_call_by_number_and_a_message_nobody_can_read_are_kept_as_kind_and_length() -> None:
    for raw in (b"F\0\0\0\x0a\0\0\0\x07xy", b"Q\0\0\0\x07abc", b"B\0\0\0\x08\0\0\0\x09", b"Q\0\0\0\x07\xff\xfe\0"):
        assert kept(raw)[5:] == bytes(len(raw) - 5)


def test_names_are_scanned_too() -> None:
    for raw in (
        client.parse_message(CARD, "SELECT 1"), client.bind(CARD, CARD), client.execute(CARD), client.close(b"S", CARD),
        client.describe(b"P", CARD), client.copy_fail(CARD),
    ):  # fmt: skip
        assert CARD.encode() not in kept(raw)
        client.parse(frame(kept(raw)))


@given(st.lists(st.none() | st.binary(max_size=40), max_size=5), st.booleans(), st.booleans())
def test_every_bind_stays_one(values: list[bytes | None], binary: bool, stay: bool) -> None:  # noqa: FBT001 -- drawn
    raw = client.bind("portal", "name", values, [int(binary)], [0, 1])
    shown = client.parse(frame(kept(raw, values=stay)))
    assert isinstance(shown, client.Bind)
    assert [value and len(value) for value in shown.values] == [value and len(value) for value in values]
    assert (shown.formats, shown.result_formats) == ((int(binary),), (0, 1))


@given(st.binary(max_size=64), st.sampled_from(list(b"QPBDECHSdcfFXp")), st.booleans())
def test_whatever_a_message_holds_its_frame_stays(payload: bytes, kind: int, stay: bool) -> None:  # noqa: FBT001
    kept(bytes((kind,)) + (len(payload) + 4).to_bytes(4, "big") + payload, values=stay)


class TestWhatStatementsKeep:
    LABELLED = Column(schema="public", relation="cards", name="cvv", labels=("cvv",), clauses=("where",))
    PLAIN = Column(schema="public", relation="cards", name="id", clauses=("where",))

    def test_one_that_names_nothing_labelled_keeps_its_values(self) -> None:
        assert keeps_values(statement(columns=(self.PLAIN,)))

    def test_one_that_names_a_labelled_column_keeps_none(self) -> None:
        assert not keeps_values(statement(columns=(self.PLAIN, self.LABELLED)))

    def test_one_that_was_not_understood_keeps_none(self) -> None:
        assert not keeps_values(statement(hazards=(Hazard(code="statement.unanalysable"),)))

    def test_one_that_writes_where_labels_are_keeps_none(self) -> None:
        for access, stay in ((("read",), True), (("read", "write"), False)):
            cards = Relation(schema="public", name="cards", kind="table", access=access, labels=("pan",))
            assert keeps_values(statement(relations=(cards,))) is stay


class TestCopyFromTheClient:
    def run(self, *payloads: bytes) -> DataRun:
        return DataRun(b"d", b"".join(map(client.copy_data, payloads)), len(payloads))

    def copied(self, copy: CopyIn, *runs: DataRun) -> list[bytes]:
        return [*(copy.feed(run) for run in runs), copy.end()]

    @pytest.mark.parametrize("cut", range(1, len(SPACED)))
    def test_a_number_is_found_where_messages_and_runs_cut_it(self, cut: int) -> None:
        first, second = SPACED[:cut].encode(), SPACED[cut:].encode()
        for runs in (
            [self.run(b"a\t" + first, second + b"\tb\n")],
            [self.run(b"a\t" + first), self.run(second + b"\n")],
        ):
            kept = b"".join(self.copied(CopyIn(values=True), *runs))
            sent = b"".join(run.raw for run in runs)
            assert len(kept) == len(sent)
            payloads = b"".join(bytes(p) for p in DataRun(b"d", kept, 0).payloads())
            assert find_card_numbers(payloads) == []
            assert payloads == b"".join(bytes(p) for run in runs for p in run.payloads()).translate(STARS)

    def test_clean_data_is_kept_as_it_came(self) -> None:
        runs = [self.run(b"1\tone\n", b"2\ttwo\n"), self.run(b"3\tthree\n")]
        assert b"".join(self.copied(CopyIn(values=True), *runs)) == b"".join(run.raw for run in runs)

    def test_where_values_may_not_stay_only_lengths_do(self) -> None:
        kept = self.copied(CopyIn(values=False), self.run(b"1\t4111\t123\n"))
        assert kept == [client.copy_data(bytes(11)), b""]

    def test_of_what_is_long_only_lengths_are_kept_and_no_number_that_began_before(self) -> None:
        begins = self.run(bytes(b"a" * (COPY_LONG - 100)) + CARD[:15].encode())
        copy = CopyIn(values=True)
        kept = b"".join([copy.feed(begins), copy.feed(self.run(CARD[15:].encode() + b"b" * 200)), copy.end()])
        assert CARD[:12].encode() not in kept
        assert kept.endswith(client.copy_data(bytes(201)))

    @given(st.lists(st.binary(max_size=100), max_size=6))
    def test_any_cutting_keeps_every_message_and_its_length(self, payloads: list[bytes]) -> None:
        copy = CopyIn(values=True)
        kept = b"".join(self.copied(copy, *(self.run(payload) for payload in payloads)))
        reader = ClientReader()
        reader.open()
        lengths = [len(p) for run in reader.receive_data(kept) if isinstance(run, DataRun) for p in run.payloads()]
        assert lengths == [len(payload) for payload in payloads]


class TestWhatTheClientWasShown:
    def test_the_key_that_cancels_is_not_kept(self) -> None:
        welcome = (
            server.AUTHENTICATION_OK + server.backend_key_data(77, b"\x01\x02\x03\x04") + server.ready_for_query(b"I")
        )
        assert blank_shown(welcome) == welcome.replace(b"\x01\x02\x03\x04", bytes(4))

    def test_clean_messages_are_the_same_object(self) -> None:
        data = server.data_row([b"1", b"Dana"]) + server.command_complete("SELECT 1")
        assert blank_shown(data) is data

    @pytest.mark.parametrize(
        "data",
        [
            server.error_response(sqlstate="22P02", message=f"invalid: {SPACED}"),
            server.data_row([b"1", CARD.encode()]),
            server.command_complete(CARD),
            server.copy_response(b"H", 0, [0]) + client.copy_data(CARD.encode()),
            server.row_description([server.Column(name=CARD, type_oid=25)]),
        ],
    )
    def test_card_numbers_go_from_everything(self, data: bytes) -> None:
        shown = blank_shown(data)
        assert len(shown) == len(data)
        assert find_card_numbers(shown) == []

    @pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
    def test_no_form_of_one_stays_in_a_column_s_name_or_in_words_behind_rows(self, form: object) -> None:
        assert callable(form)
        written = form(CARD)
        names = [server.Column(name=name, type_oid=25) for name in ("id", written, "brand")]
        behind = server.data_row([b"1"]) + server.notice_response(sqlstate="01000", message=written)
        for data in (server.row_description(names), behind, behind + server.row_description(names)):
            shown = blank_shown(data)
            assert len(shown) == len(data)
            assert find_any(shown, wire=True) == []
        assert server.parse_row_description(frame(blank_shown(server.row_description(names))))[2].name == "brand"

    def test_of_columns_that_the_net_left_alone_numbers_go_and_binary_values_altogether(self) -> None:
        row = server.data_row([CARD.encode(), struct.pack(">q", int(CARD)), b"7"])
        shown = blank_exempt(row, (Reading.TEXT, Reading.SKIP, Reading.NUMBER), frozenset({1}))
        assert shown == server.data_row([b"*" * 16, bytes(8), b"7"])

    def test_without_content_only_kinds_and_lengths_are_left(self) -> None:
        assert without_content(client.copy_data(b"abc") * 2) == client.copy_data(bytes(3)) * 2


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_no_form_of_a_number_stays_in_a_name_or_in_copied_data_however_it_is_cut(form: object) -> None:
    assert callable(form)
    written = form(CARD)
    named = (
        client.parse_message(written, "SELECT 1", ()),
        client.describe(client.STATEMENT, written),
        client.describe(client.PORTAL, written),
    )
    for raw in named:
        assert not find_any(kept(raw), wire=True)
    said = server.parameter_status("application_name", written)
    assert not find_any(blank_shown(server.command_complete("SET") + said), wire=True)
    column = b"T" + struct.pack(">Ih", 6 + len(written.encode()) + 19, 1) + written.encode() + b"\0" + bytes(18)
    assert not find_any(blank_shown(column), wire=True)
    assert blank_shown(column)[-18:] == bytes(18)
    data = written.encode()
    for size in (1, 7, 1000):
        copy = CopyIn(values=True)
        runs = [client.copy_data(data[at : at + size]) for at in range(0, len(data), size)]
        stored = b"".join(copy.feed(DataRun(b"d", run, 1)) for run in runs) + copy.end()
        assert len(stored) == sum(map(len, runs))
        text = b"".join(stored[at + 5 : at + 5 + length] for at, length in _payloads(stored))
        assert not find_any(text)


def _payloads(raw: bytes) -> list[tuple[int, int]]:
    found, at = [], 0
    while at < len(raw):
        (length,) = struct.unpack_from(">I", raw, at + 1)
        found.append((at, length - 4))
        at += length + 1
    return found
