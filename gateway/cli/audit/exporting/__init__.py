"""`querywarden audit export`: one file with the evidence of a period, that anyone can verify without us."""

import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption
from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, JsonOption, KeyOption, data_folder, reading, trusted
from gateway.cli.audit.exporting.bundles import Bundles
from gateway.cli.audit.exporting.drawing import Asked, Drawn, draw
from gateway.cli.audit.exporting.extras import Extras, gather
from gateway.cli.audit.exporting.known import seen_before
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.options import NO_CHOICE, NOTHING_ELSE, Drawing, Inputs, Output
from gateway.cli.audit.exporting.page import verify_page
from gateway.cli.audit.exporting.reports import absent, made_by, report_parts, spoken
from gateway.cli.audit.exporting.signoffs import sign_offs
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.scan import scanned_now
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.cli.person import as_owner
from gateway.cli.policy.backtesting import From, To, period_of
from gateway.core.clock import SystemClock
from gateway.evidence.keys import load_keys
from gateway.evidence.note import Signer
from gateway.evidence.package.building import Package, build, keep_checkpoint, take
from gateway.evidence.package.population import Period
from gateway.evidence.scan_result import signed
from gateway.policy.requirements import read_catalogue, shipped_catalogue


def export(  # noqa: PLR0913 -- each is an option
    *,
    since: From,
    until: To = "",
    output: Output,
    drawing: Annotated[Drawing, Parameter(name="*")] = NO_CHOICE,
    inputs: Annotated[Inputs, Parameter(name="*")] = NOTHING_ELSE,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    person: AsOption = "",
    as_json: JsonOption = False,
) -> int:
    """Write the evidence of a period: the log's part of it, every decision, a sample, bundles, reports, a verifier."""
    drawing.check()
    inputs.check()
    folder, verifier = data_folder(config, data), trusted(key)
    period = Period(*period_of(since, until), tuple(sorted(set(drawing.connection))))
    with reading(), tempfile.TemporaryDirectory(prefix=".evidence-", dir=output.absolute().parent) as scratch:
        taken = take(folder, period, verifier)
        signer = load_keys(folder / "keys", taken.newest.epoch).signer
        drawn = draw(taken, Asked("export", person, drawing.seed, drawing.per_stratum, verifier), Path(scratch))
        extras = gather(drawn.taken, config, _scanned(inputs, folder, signer, person), inputs.reconcile)
        bar = Bar(sys.stderr, SystemClock(), "files")
        package = _package(drawn, extras, output.name, [path.read_bytes() for path in inputs.earlier])
        build(package._replace(step=bar), output, signer)
        bar.clear()
        with as_owner(folder):
            keep_checkpoint(drawn.taken)
    sys.stdout.write(written(told(drawn, output)) if as_json else in_words(drawn, output))
    return FINE


def _scanned(inputs: Inputs, folder: Path, signer: Signer, person: str) -> bytes | None:
    """The result that was given, or one of now; None without."""
    if inputs.with_scan:
        return signed(scanned_now(folder, (), None, person)[0], signer)
    return inputs.scan.read_bytes() if inputs.scan else None


def material_of(drawn: Drawn, extras: Extras) -> Material:
    """What reports are made of."""
    decided: Counter[str] = Counter()
    for group, count in drawn.tally.groups.items():
        decided[group.bundle] += count
    return Material(
        taken=drawn.taken,
        tally=drawn.tally,
        bundles=Bundles(drawn.taken.data_dir, decided),
        extras=extras.facts,
        seen=seen_before(drawn.taken),
        reviews=tuple(sign_offs(drawn.taken)),
        keys=extras.keys,
    )


def _package(drawn: Drawn, extras: Extras, name: str, earlier: list[bytes]) -> Package:
    material = material_of(drawn, extras)
    catalogue = read_catalogue(shipped_catalogue())
    return Package(
        taken=drawn.taken,
        fixed=drawn.fixed,
        own=drawn.own,
        sample=drawn.sample,
        page=verify_page(drawn.taken, drawn.sample, name),
        more={**material.bundles.parts(), **report_parts(material, catalogue, drawn.sample), **extras.parts},
        facts=absent(material),
        made_by=made_by(),
        earlier=earlier,
    )


def told(drawn: Drawn, output: Path) -> dict[str, object]:
    """What was written, for programs."""
    tree = drawn.taken.newest.tree
    return {
        "package": str(output),
        "bytes": output.stat().st_size,
        "decisions": drawn.fixed.rows,
        "population": f"sha256:{drawn.fixed.sha256}",
        "strata": len(drawn.sample.strata),
        "samples": len(drawn.sample.places),
        "seed": drawn.sample.seed,
        "seed_from": drawn.sample.seed_from,
        "checkpoint": {"origin": tree.origin, "size": tree.size, "root": tree.root.hex()},
    }


def in_words(drawn: Drawn, output: Path) -> str:
    """What a person reads."""
    tree, sample = drawn.taken.newest.tree, drawn.sample
    return rows(
        [
            ("package", printable(f"{output}, {output.stat().st_size:,} bytes")),
            ("period", printable(spoken(drawn.taken.period))),
            ("decisions", f"{drawn.fixed.rows:,}, sha256:{drawn.fixed.sha256}"),
            ("sample", f"{len(sample.places):,} of {len(sample.strata):,} strata, seed {printable(sample.seed)}"),
            ("proved by", f"{printable(tree.origin)}, {tree.size:,} leaves, root {tree.root.hex()}"),
            ("check it", printable(f"querywarden audit verify --package {output} --key log.pub")),
        ]
    )
