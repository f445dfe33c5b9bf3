"""The demo's data is what the tour counts on, and the gateway's account may use it and nothing more."""

from collections.abc import Iterator

import psycopg
import pytest

from gateway.cli.demo import cluster, payments
from tests.cli.demo.conftest import PASSWORD


@pytest.fixture
def account(demo_server: cluster.Cluster) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        host=cluster.HOST, port=demo_server.port, user=payments.ACCOUNT, password=PASSWORD, dbname=payments.DATABASE,
        autocommit=True,
    ) as connection:  # fmt: skip
        yield connection


def test_the_account_reads_and_writes_the_tables(account: psycopg.Connection) -> None:
    assert account.execute("SELECT count(*) FROM cards").fetchone() == (7,)
    account.execute("UPDATE customers SET country = 'DE' WHERE id = 1")


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE cards", "CREATE TABLE t ()", "CREATE TEMP TABLE t ()", "CREATE ROLE other", "COPY cards TO '/tmp/x'"],
)
def test_the_account_can_do_nothing_else(account: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        account.execute(statement)


def test_every_card_number_passes_the_check_digit_and_one_lies_in_free_text(account: psycopg.Connection) -> None:
    numbers = [str(row[0]) for row in account.execute("SELECT pan FROM cards")]
    assert [number for number in numbers if luhn(number)] == numbers
    assert account.execute("SELECT note FROM orders WHERE id = 7").fetchone() == (
        "customer rang, charge 4111 1111 1111 1111 instead",
    )


def luhn(number: str) -> bool:
    digits = [int(digit) for digit in reversed(number)]
    return sum(digits[::2] + [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]) % 10 == 0
