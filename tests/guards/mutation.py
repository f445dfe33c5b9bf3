"""What a mutation is: one guard of the product switched off in its source, and the tests that must notice."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutation:
    """`old` stands exactly once in the file. `tests`: arguments of pytest below tests/, or none for Rego."""

    name: str
    file: str
    """below the root of the project"""
    old: str
    new: str
    tests: tuple[str, ...] = ()
    covered: str = ""
    """why no test notices: the other guard that says no; empty for a mutation that must be noticed"""

    def applied(self, source: str) -> str:
        """The changed source. Raises ValueError when the table is out of date."""
        if source.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} stands {source.count(self.old)} times in {self.file}")
        return source.replace(self.old, self.new)
