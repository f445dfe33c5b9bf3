"""The list of documented codes: whole, and nothing that user code could smuggle out in five characters."""

from gateway.wire.postgres.sqlstates import DOCUMENTED


def test_every_code_has_five_characters_of_the_standards_alphabet() -> None:
    assert all(len(code) == 5 and code.isascii() and code.isalnum() and code == code.upper() for code in DOCUMENTED)


def test_the_codes_the_gateway_and_its_clients_rely_on_are_there() -> None:
    needed = "00000 01000 22P02 23505 25P02 40001 42501 42601 57014 57P01 XX000"
    assert set(needed.split()) <= DOCUMENTED


def test_a_code_of_five_digits_of_a_card_number_is_not_documented() -> None:
    assert not {"41111", "11114", "55555"} & DOCUMENTED
