"""What is no card number, made at random, and how often it is taken for one: as docs/reference/card-scan.md says."""

import base64
import datetime as dt
import random
import uuid
from collections.abc import Callable
from typing import Final

SEED: Final = 6
_START: Final = 1_700_000_000
_YEARS: Final = 8 * 365 * 86_400


def _digits(length: int) -> Callable[[random.Random], str]:
    return lambda dice: str(dice.randrange(10 ** (length - 1), 10**length))


def _moment(dice: random.Random) -> str:
    moment = dt.datetime.fromtimestamp(_START + dice.randrange(_YEARS), tz=dt.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{dice.randrange(10**6):06d}+00"


def _since_1970(unit: int) -> Callable[[random.Random], str]:
    return lambda dice: str((_START + dice.randrange(_YEARS)) * unit + dice.randrange(unit))


def _iban(dice: random.Random) -> str:
    groups = " ".join(f"{dice.randrange(10**4):04d}" for _ in range(4))
    return f"DE{dice.randrange(100):02d} {groups} {dice.randrange(100):02d}"


def _dated(dice: random.Random) -> str:
    return (
        f"{dice.randrange(2020, 2030)}{dice.randrange(1, 13):02d}{dice.randrange(1, 29):02d}{dice.randrange(10**6):06d}"
    )


def _order(dice: random.Random) -> str:
    return f"ORD-{dice.randrange(2020, 2030)}-{dice.randrange(10**8):08d}"


def _phone(dice: random.Random) -> str:
    country = dice.choice(
        ["+1 {:03d} {:03d} {:04d}", "+44 {:04d} {:03d}{:03d}", "+49 {:03d} {:04d}{:04d}", "+351 {:03d} {:03d} {:03d}"]
    )
    return country.format(dice.randrange(100, 1000), dice.randrange(100, 1000), dice.randrange(100, 1000))


RATES: Final[dict[str, tuple[Callable[[random.Random], str], float, float]]] = {
    "random numbers of 12 digits": (_digits(12), 1.3, 1.3),
    "random numbers of 13 digits": (_digits(13), 2.8, 2.8),
    "random numbers of 15 digits": (_digits(15), 2.3, 12.3),
    "random numbers of 16 digits": (_digits(16), 4.6, 20.8),
    "random numbers of 19 digits": (_digits(19), 3.5, 43.8),
    "random numbers of 24 digits": (_digits(24), 0, 71.3),
    "UUIDs, version 4": (lambda dice: str(uuid.UUID(int=dice.getrandbits(128), version=4)), 0, 0.1),
    "SHA-256 in hexadecimal": (lambda dice: f"{dice.getrandbits(256):064x}", 0, 0.6),
    "16 random bytes in base64": (lambda dice: base64.b64encode(dice.randbytes(16)).decode(), 0, 0),
    "seconds since 1970": (_since_1970(1), 0, 0),
    "milliseconds since 1970": (_since_1970(10**3), 0, 0),
    "microseconds since 1970": (_since_1970(10**6), 0, 6.5),
    "nanoseconds since 1970": (_since_1970(10**9), 0, 29.3),
    "moments, written out": (_moment, 0, 2.8),
    "order numbers, ORD-2026-00012345": (_order, 0, 0),
    "order numbers, date and six digits": (_dated, 0, 0),
    "telephone numbers": (_phone, 2.6, 2.6),
    "amounts and averages": (lambda dice: repr(dice.random() * 10 ** dice.randrange(6)), 0, 12.1),
    "IPv4 addresses": (lambda dice: ".".join(str(dice.randrange(256)) for _ in range(4)), 0, 0),
    "IBANs": (_iban, 11.2, 14.9),
}
"""name → how one is made, and percent taken for a card number: in what is stored, and in words that somebody chose"""
