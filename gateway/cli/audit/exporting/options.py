"""Options of `audit export` and `audit sample`: which decisions, how they are drawn, what else goes into a package."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.core.errors import ConfigError
from gateway.evidence.package.population import PER_STRATUM

MOST: Final = 10_000
Output: TypeAlias = Annotated[
    Path,
    Parameter(name=["--output", "-o"], help="The archive. Stored, not packed; the same log gives the same bytes."),
]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """Which decisions, and how they are drawn."""

    connection: Annotated[
        tuple[str, ...], Parameter(negative="", help="Only decisions on these; repeat it for several.")
    ] = ()
    seed: Annotated[str, Parameter(help="The seed of the sample, chosen by whoever assesses.")] = ""
    sample_seed_checkpoint: Annotated[
        bool,
        Parameter(
            negative="",
            help="The seed is the root of a checkpoint signed after the population was fixed: so without --seed, too.",
        ),
    ] = False
    per_stratum: Annotated[
        int, Parameter(validator=Number(gte=1, lte=MOST), help="Decisions drawn from each stratum.")
    ] = PER_STRATUM

    def check(self) -> None:
        """Raises ConfigError for two seeds."""
        if self.seed and self.sample_seed_checkpoint:
            raise ConfigError("config.invalid", "give --seed or --sample-seed-checkpoint, not both")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What else goes into a package."""

    scan: Annotated[Path | None, Parameter(negative="", help="A signed result of `audit scan`, to be put in.")] = None
    with_scan: Annotated[
        bool, Parameter(negative="", help="Scan everything stored now, and put the signed result in.")
    ] = False
    reconcile: Annotated[
        Path | None, Parameter(negative="", help="A result of `audit reconcile --json`, to be put in.")
    ] = None
    earlier: Annotated[
        tuple[Path, ...],
        Parameter(negative="", help="A checkpoint that somebody kept: the log is proved to have gone on from it."),
    ] = ()

    def check(self) -> None:
        """Raises ConfigError for two scans."""
        if self.scan is not None and self.with_scan:
            raise ConfigError("config.invalid", "give --scan or --with-scan, not both")


NO_CHOICE: Final = Drawing()
NOTHING_ELSE: Final = Inputs()
