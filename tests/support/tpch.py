"""TPC-H in small: rows made from a seed, by the rules of the specification that its queries look at, and its queries.

The answers are not those of the specification's own data: they are compared with a direct connection's.
"""
# ruff: noqa: E501 -- tables of words

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg import sql

CORPUS = Path(__file__).parents[1] / "corpus/tpch"
Row: TypeAlias = tuple[object, ...]
SUPPLIERS, PARTS, CUSTOMERS, ORDERS = 60, 1000, 750, 7500
REGIONS = ("AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST")
NATIONS = {
    "ALGERIA": 0, "ARGENTINA": 1, "BRAZIL": 1, "CANADA": 1, "EGYPT": 4, "ETHIOPIA": 0, "FRANCE": 3, "GERMANY": 3, "INDIA": 2,
    "INDONESIA": 2, "IRAN": 4, "IRAQ": 4, "JAPAN": 2, "JORDAN": 4, "KENYA": 0, "MOROCCO": 0, "MOZAMBIQUE": 0, "PERU": 1, "CHINA": 2,
    "ROMANIA": 3, "SAUDI ARABIA": 4, "VIETNAM": 2, "RUSSIA": 3, "UNITED KINGDOM": 3, "UNITED STATES": 1,
}  # fmt: skip
COLOURS = ("almond", "blue", "forest", "green", "ivory", "navy", "olive", "pink", "red", "white")
TYPES = (
    ("STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"),
    ("ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"),
    ("TIN", "NICKEL", "BRASS", "STEEL", "COPPER"),
)
CONTAINERS = (("SM", "LG", "MED", "JUMBO", "WRAP"), ("CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"))
SEGMENTS = ("AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD")
PRIORITIES = ("1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW")
INSTRUCTIONS = ("DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN")
MODES = ("REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB", "AIR REG")
WORDS = ("carefully", "special", "quickly", "requests", "deposits", "Customer", "Complaints", "ideas", "packages")
TODAY, FIRST_DAY, DAYS = date(1995, 6, 17), date(1992, 1, 1), 2405


def queries() -> Mapping[str, Sequence[str]]:
    """Name → statements; most queries are one."""
    text = (CORPUS / "queries.sql").read_text(encoding="utf-8")
    parts = re.split(r"^-- (q\d\d)$", text, flags=re.MULTILINE)[1:]
    named = zip(parts[::2], parts[1::2], strict=True)
    return {name: [part.strip() for part in body.split(";") if part.strip()] for name, body in named}


def fill(connection: psycopg.Connection) -> None:
    """Make the relations and their rows: the same ones each time."""
    connection.execute((CORPUS / "schema.sql").read_text(encoding="utf-8"))
    for relation, rows in _rows(random.Random(42)).items():  # noqa: S311 -- data, no secret
        statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(relation))
        with connection.cursor().copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    connection.execute("ANALYZE")


def _rows(dice: random.Random) -> dict[str, list[Row]]:
    supplies = {part: sorted(dice.sample(range(1, SUPPLIERS + 1), 4)) for part in range(1, PARTS + 1)}
    orders, lines = _orders(dice, supplies)
    return {
        "region": [(n, name, "") for n, name in enumerate(REGIONS)],
        "nation": [(n, name, region, "") for n, (name, region) in enumerate(NATIONS.items())],
        "supplier": list(_suppliers(dice)),
        "part": list(_parts(dice)),
        "partsupp": [
            (part, supplier, dice.randint(1, 9999), _money(dice, 100, 100_000), _comment(dice))
            for part, suppliers in supplies.items()
            for supplier in suppliers
        ],
        "customer": list(_customers(dice)),
        "orders": orders,
        "lineitem": lines,
    }


def _money(dice: random.Random, low: int, high: int) -> str:
    cents = dice.randint(low, high)
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _comment(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(3))


def _phone(dice: random.Random, nation: int) -> str:
    return f"{nation + 10}-{dice.randint(100, 999)}-{dice.randint(100, 999)}-{dice.randint(1000, 9999)}"


def _suppliers(dice: random.Random) -> Iterator[Row]:
    for key in range(1, SUPPLIERS + 1):
        nation = key % len(NATIONS)
        balance = _money(dice, -99_999, 999_999)
        yield key, f"Supplier#{key:09d}", f"street {key}", nation, _phone(dice, nation), balance, _comment(dice)


def _parts(dice: random.Random) -> Iterator[Row]:
    for key in range(1, PARTS + 1):
        maker = dice.randint(1, 5)
        yield (
            key, " ".join(dice.sample(COLOURS, 3)), f"Manufacturer#{maker}", f"Brand#{maker}{dice.randint(1, 5)}",
            " ".join(dice.choice(words) for words in TYPES), dice.randint(1, 50), " ".join(dice.choice(words) for words in CONTAINERS),
            _money(dice, 90_000, 110_000), "part",
        )  # fmt: skip


def _customers(dice: random.Random) -> Iterator[Row]:
    for key in range(1, CUSTOMERS + 1):
        nation = dice.randrange(len(NATIONS))
        balance = _money(dice, -99_999, 999_999)
        yield (
            key, f"Customer#{key:09d}", f"road {key}", nation, _phone(dice, nation), balance, dice.choice(SEGMENTS), _comment(dice),
        )  # fmt: skip


def _orders(dice: random.Random, supplies: Mapping[int, Sequence[int]]) -> tuple[list[Row], list[Row]]:
    orders: list[Row] = []
    lines: list[Row] = []
    for key in range(1, ORDERS + 1):
        day = FIRST_DAY + timedelta(days=dice.randrange(DAYS - 151))
        customer = dice.choice([n for n in (dice.randint(1, CUSTOMERS), dice.randint(1, CUSTOMERS), 1) if n % 3])
        large = key % 500 == 0
        made = [
            _line(dice, key, number, day, supplies, large=large)
            for number in range(1, 8 if large else dice.randint(2, 8))
        ]
        states = {line[9] for line in made}
        status = str(states.pop()) if len(states) == 1 else "P"
        clerk, price = f"Clerk#{dice.randint(1, 5):09d}", _money(dice, 100_000, 40_000_000)
        orders.append((key, customer, status, price, day, dice.choice(PRIORITIES), clerk, 0, _comment(dice)))
        lines += made
    return orders, lines


def _line(  # noqa: PLR0913 -- a row of sixteen columns
    dice: random.Random, order: int, number: int, day: date, supplies: Mapping[int, Sequence[int]], *, large: bool
) -> Row:
    part = dice.randint(1, PARTS)
    quantity = dice.randint(45, 50) if large else dice.randint(1, 50)
    shipped = day + timedelta(days=dice.randint(1, 121))
    received = shipped + timedelta(days=dice.randint(1, 30))
    flag = dice.choice("RA") if received <= TODAY else "N"
    return (
        order, part, dice.choice(supplies[part]), number, quantity, _money(dice, 90_000 * quantity, 110_000 * quantity),
        f"0.{dice.randint(0, 10):02d}", f"0.{dice.randint(0, 8):02d}", flag, "O" if shipped > TODAY else "F", shipped,
        day + timedelta(days=dice.randint(30, 90)), received, dice.choice(INSTRUCTIONS), dice.choice(MODES), "line",
    )  # fmt: skip
