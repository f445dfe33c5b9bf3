"""One line of the registry of codes: how one condition is shown to whoever meets it."""

from typing import Final, NamedTuple


class Code(NamedTuple):
    """How one condition is shown to whoever meets it."""

    sqlstate: str
    mysql: int
    http: int
    message: str
    remedy: str


DENIED: Final = ("42501", 1142, 403)
UNAVAILABLE: Final = ("57P03", 1205, 503)
