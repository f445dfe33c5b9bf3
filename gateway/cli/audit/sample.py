"""`querywarden audit sample`: fix the decisions of a period in the log; draw a sample that nobody could choose."""

import sys
import tempfile
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption
from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, JsonOption, KeyOption, data_folder, reading, trusted
from gateway.cli.audit.exporting.drawing import Asked, Drawn, draw
from gateway.cli.audit.exporting.options import NO_CHOICE, Drawing
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable
from gateway.cli.policy.backtesting import From, To, period_of
from gateway.evidence.files import put_file
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period


def sample(  # noqa: PLR0913 -- each is an option
    *,
    since: From,
    until: To = "",
    drawing: Annotated[Drawing, Parameter(name="*")] = NO_CHOICE,
    population: Annotated[Path | None, Parameter(negative="", help="A file for the whole list, CSV.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Draw decisions by outcome, connection and label. The list they are drawn from is recorded before the draw.

    Without a seed, the root of a checkpoint that was signed after that record is the seed.
    """
    drawing.check()
    folder, verifier = data_folder(config, data), trusted(key)
    period = Period(*period_of(since, until), tuple(sorted(set(drawing.connection))))
    with reading(), tempfile.TemporaryDirectory(prefix="querywarden-") as scratch:
        asked = Asked("sample", person, drawing.seed, drawing.per_stratum, verifier)
        drawn = draw(take(folder, period, verifier), asked, Path(scratch))
        if population is not None:
            put_file(population, drawn.fixed.path.read_bytes(), sync=True)
    sys.stdout.write(written(drawn.sample.document(drawn.fixed)) if as_json else in_words(drawn))
    return FINE


def in_words(drawn: Drawn) -> str:
    """Each stratum with the decisions drawn from it."""
    lines = []
    for stratum, found in drawn.sample.strata.items():
        named = printable(f"{stratum.outcome} on {stratum.connection or '-'}, labels {stratum.labels or 'none'}")
        lines.append(f"{named}: {len(found.chosen):,} of {found.size:,}")
        lines += [f"  {printable(did)}" for did in found.chosen]
    own = f"; leaf {drawn.own.at} of epoch {drawn.own.epoch} fixed it" if drawn.own else "; recorded nowhere: a copy"
    lines.append(f"population {drawn.fixed.rows:,} decisions, sha256:{drawn.fixed.sha256}{own}")
    lines.append(f"seed       {printable(drawn.sample.seed)} ({drawn.sample.seed_from['kind']})")
    return "\n".join(lines) + "\n"
