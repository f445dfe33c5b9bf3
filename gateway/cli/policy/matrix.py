"""`querywarden policy matrix`: requirement, rule, tests, decisions of a period, and what is left to the customer."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from cyclopts import Parameter

from gateway.cli.audit.desk import DEFAULT_CONFIG, ConfigOption, DataOption, data_folder, reading
from gateway.cli.audit.progress import Bar
from gateway.cli.policy.backtesting import From, To, period_of
from gateway.cli.policy.evaluating import answer_of
from gateway.cli.policy.matrix_pages import PAGES
from gateway.cli.policy.options import AsJson, Tests
from gateway.cli.policy.past import LoggedPast
from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES
from gateway.cli.policy.shown import Matrix, MatrixRow, Proof, RuleRow, state_of
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.policy.build import read_bundle_files, reference_base
from gateway.policy.bundle import VECTORS, read_contents
from gateway.policy.manifest import Rule
from gateway.policy.requirements import Catalogue, read_catalogue, shipped_catalogue
from gateway.policy.vectors import decode_vectors

Format: TypeAlias = Literal["html", "csv", "md", "json"]


class _Reason(msgspec.Struct, frozen=True):
    code: str


class _Answer(msgspec.Struct, frozen=True):
    reasons: tuple[_Reason, ...] = ()


def matrix(  # noqa: PLR0913 -- each is an option
    *,
    bundle: Annotated[Path | None, Parameter(help="The bundle; the released rules if not given.")] = None,
    output: Annotated[
        list[Path] | None, Parameter(name=["--output", "-o"], negative="", help="Files: .html, .csv, .md, .json.")
    ] = None,
    tests: Tests = Path("rego_tests"),
    compliance: Annotated[Path | None, Parameter(help="A folder of catalogues, instead of the shipped one.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    since: From = "",
    until: To = "",
    as_json: AsJson = False,
) -> int:
    """Say which requirement is held by which rule and shown by what. Exits 1 when a rule names one that is unknown.

    Decisions are counted with --config or --data. Without --output it is printed as Markdown.
    """
    catalogue = read_catalogue(compliance or shipped_catalogue())
    counts: Mapping[str, int] = {}
    asked, period = 0, "no log was asked"
    if config is not None or data is not None or DEFAULT_CONFIG.exists():
        with reading():
            counts, asked = exercised(LoggedPast(data_folder(config, data), period_of(since, until)))
        period = f"from {since or 'the beginning'} to {until or 'now'}"
    files = read_bundle_files(bundle or reference_base())
    found = matrix_of(files, catalogue, tests, counts, period=period, decisions=asked)
    for path in output or []:
        path.write_text(PAGES[format_of(path)](found), encoding="utf-8")
    if as_json or not output:
        sys.stdout.write(PAGES["json" if as_json else "md"](found))
    for finding in found.findings:
        sys.stderr.write(f"{finding}\n")
    return SAYS_NO if found.findings else SAYS_YES


def format_of(path: Path) -> Format:
    """By its suffix. Raises ConfigError."""
    match path.suffix:
        case ".html":
            return "html"
        case ".csv":
            return "csv"
        case ".md":
            return "md"
        case ".json":
            return "json"
    raise ConfigError("config.invalid", f"--output {path}: its name ends in .html, .csv, .md or .json")


def exercised(past: LoggedPast) -> tuple[dict[str, int], int]:
    """Code → decisions of the period that gave it; and how many decisions policy was asked about."""
    bar = Bar(sys.stderr, SystemClock(), "leaves")
    groups = [group for group in past.groups(bar) if group.answer]
    bar.clear()
    codes = {name: answer_of(raw).codes for name, raw in past.bodies({group.answer for group in groups})}
    counts: dict[str, int] = {}
    for group in groups:
        for code in codes.get(group.answer, ()):
            counts[code] = counts.get(code, 0) + group.count
    return counts, sum(group.count for group in groups)


def matrix_of(  # noqa: PLR0913 -- what a matrix is made of
    files: Mapping[str, bytes],
    catalogue: Catalogue,
    tests: Path,
    counts: Mapping[str, int],
    *,
    period: str,
    decisions: int,
) -> Matrix:
    """The matrix of a bundle's files."""
    manifest = read_contents(files)
    rules = manifest.metadata.querywarden.rules
    proofs = proofs_of(files)
    rows = [_rule_row(rule, proofs, tests, counts) for rule in rules]
    return Matrix(
        revision=manifest.revision,
        period=period,
        decisions=decisions,
        rows=tuple(
            _row(standard.full(each.id), each.title, each.shown, each.owes, rows, proofs)
            for standard in catalogue.standards
            for each in standard.requirements
        ),
        findings=tuple(findings(rules, proofs, catalogue)),
    )


def _row(control: str, title: str, shown: str, owes: str, rules: list[RuleRow], proofs: list[Proof]) -> MatrixRow:  # noqa: PLR0913, PLR0917 -- the columns
    mine = tuple(rule for rule in rules if control in rule.controls)
    vectors = tuple(sorted(proof.name for proof in proofs if control in proof.shows))
    return MatrixRow(
        control=control, title=title, state=state_of(mine, shown), rules=mine, vectors=vectors, shown=shown, owes=owes
    )


def _rule_row(rule: Rule, proofs: list[Proof], tests: Path, counts: Mapping[str, int]) -> RuleRow:
    return RuleRow(
        code=rule.code,
        title=rule.title,
        effect=rule.effect,
        severity=rule.severity,
        place=f"{rule.file}:{rule.line}",
        controls=rule.controls,
        tests=tuple(naming(rule.code, tests)),
        vectors=sum(rule.code in proof.codes for proof in proofs),
        decisions=counts.get(rule.code, 0),
    )


def naming(code: str, tests: Path) -> Iterator[str]:
    """`file:line` of each line of the tests that names a code."""
    for path in sorted(tests.rglob("*_test.rego")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if f'"{code}"' in line:
                yield f"{path.relative_to(tests).as_posix()}:{number}"


def proofs_of(files: Mapping[str, bytes]) -> list[Proof]:
    """What the bundle's vectors show."""
    return [
        Proof(
            file=name,
            name=vector.name,
            shows=vector.shows,
            codes=tuple(each.code for each in msgspec.convert(vector.decision, _Answer).reasons),
        )
        for name, raw in sorted(files.items())
        if name.startswith(VECTORS)
        for vector in decode_vectors(name, raw).vectors
    ]


def findings(rules: Iterable[Rule], proofs: Iterable[Proof], catalogue: Catalogue) -> Iterator[str]:
    """Requirements that nobody knows, with where they are named."""
    for rule in rules:
        for control in rule.controls:
            if said := catalogue.wrong(control):
                yield f"{rule.file}:{rule.line}: {rule.code}: {said}"
    for proof in proofs:
        for control in proof.shows:
            if said := catalogue.wrong(control):
                yield f"{proof.file}:1: {proof.name}: {said}"
