"""The attack and benign statements of the corpus, and the two schemas they run on: true, and with other digits."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
import yaml

CORPUS = Path(__file__).parents[1] / "corpus/cases"
SHARED = Path(__file__).parents[3] / "shared/cases"
"""The cases as their authors keep them; only there on the authors' machines."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of cases.yaml; its head says what the fields mean."""

    id: str
    category: str
    dialect: str
    role: str
    sql: tuple[str, ...]
    leak: str
    recover: str
    expected: str
    difficulty: int | str
    notes: str
    verified: str
    channel: str = ""
    protocol: str = ""
    verify: str = ""

    @property
    def benign(self) -> bool:
        """Its answer must be the direct one."""
        return self.expected == "allow"

    @property
    def writes(self) -> bool:
        """It may change the database: only `agent_ro` cannot."""
        return self.role != "agent_ro"

    @property
    def scripted(self) -> bool:
        """It is told in prose and needs its own bytes on the wire."""
        return self.protocol in {"startup", "fastpath", "extended"}

    def statements(self, scratch: Path, port: int) -> list[str]:
        """The SQL, with the scratch folder and the server's port put in."""
        return [text.replace("@DIR@", str(scratch)).replace("@PORT@", str(port)) for text in self.sql]


@cache
def postgres_cases() -> Sequence[Case]:
    """Every PostgreSQL case."""
    document = yaml.safe_load((CORPUS / "cases.yaml").read_text(encoding="utf-8"))
    cases = msgspec.convert(document["cases"], tuple[Case, ...])
    return tuple(case for case in cases if case.dialect == "postgres")


def schema() -> str:
    """The schema the cases run on."""
    return (CORPUS / "schema_pg.sql").read_text(encoding="utf-8")


def twin_schema() -> str:
    """The same schema with other card numbers: same lengths, same last four digits, other first ones, other CVVs.

    Only rows of `cards` have a number and a CVV side by side; every other protected value is copied from there. What
    carries no label stays as it is.
    """
    return re.sub(r"'([0-9]{11,12})([0-9]{4})','([0-9]{3,4})'", _other_digits, schema())


_COMPLEMENT = str.maketrans("0123456789", "9876543210")


def _other_digits(found: re.Match[str]) -> str:
    hidden, shown, cvv = found.groups()
    return f"'{hidden.translate(_COMPLEMENT)}{shown}','{cvv.translate(_COMPLEMENT)}'"
