"""Options of `audit export`, `sample` and `digest`."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter
from cyclopts.validators import Number

MOST: int = 10_000
Connections: TypeAlias = Annotated[
    tuple[str, ...], Parameter(name="--connection", negative="", help="Only decisions on these; repeat it for several.")
]
Seed: TypeAlias = Annotated[str, Parameter(help="The seed of the sample, chosen by whoever assesses.")]
SeedCheckpoint: TypeAlias = Annotated[
    bool,
    Parameter(
        name="--sample-seed-checkpoint",
        negative="",
        help="The seed is the root of a checkpoint signed after the population was fixed: so without --seed, too.",
    ),
]
PerStratum: TypeAlias = Annotated[
    int, Parameter(validator=Number(gte=1, lte=MOST), help="Decisions drawn from each stratum.")
]
Output: TypeAlias = Annotated[
    Path,
    Parameter(name=["--output", "-o"], help="The archive. Stored, not packed; the same log gives the same bytes."),
]
Scan: TypeAlias = Annotated[Path | None, Parameter(negative="", help="A signed result of `audit scan`, to be put in.")]
Reconcile: TypeAlias = Annotated[
    Path | None, Parameter(negative="", help="A result of `audit reconcile --json`, to be put in.")
]
Earlier: TypeAlias = Annotated[
    tuple[Path, ...],
    Parameter(negative="", help="A checkpoint that somebody kept: the log is proved to have gone on from it."),
]
