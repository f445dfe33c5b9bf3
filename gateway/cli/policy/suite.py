"""What is checked of a policy before it may be a bundle: its schemas, form, types, rules about rules, tests."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import msgspec

from gateway.cli.policy.matrix import findings, proofs_of
from gateway.cli.policy.reporting import Check
from gateway.core.errors import ConfigError, GatewayError
from gateway.policy.build import base_of
from gateway.policy.bundle import read_contents
from gateway.policy.compiler import Compiled, Opa, compile_policy, modules, stage
from gateway.policy.requirements import read_catalogue, shipped_catalogue
from gateway.policy.schemas import schema_texts

NOT_LOADED = ("schema", "capabilities.json", "compliance", "config", "regal.yaml", "vectors")
"""what lies beside the rules and is no data of theirs"""
META_QUERY = "data.meta.findings"
WHOLE = 100.0
TEST_SECONDS = 300
"""for one test; opa's own 5 s are short on a busy machine"""


class _Span(msgspec.Struct, frozen=True):
    row: int


class _Range(msgspec.Struct, frozen=True):
    start: _Span
    end: _Span


class _File(msgspec.Struct, frozen=True):
    coverage: float = 0.0
    not_covered: tuple[_Range, ...] = ()


class Coverage(msgspec.Struct, frozen=True):
    """The report of `opa test --coverage`."""

    coverage: float
    files: dict[str, _File] = {}


class _Place(msgspec.Struct, frozen=True):
    file: str
    row: int


class _Test(msgspec.Struct, frozen=True):
    """One entry of `opa test --format json`."""

    package: str
    name: str
    location: _Place
    fail: bool = False


class _Binding(msgspec.Struct, frozen=True):
    value: tuple[str, ...]


class _Row(msgspec.Struct, frozen=True):
    expressions: Annotated[tuple[_Binding, ...], msgspec.Meta(min_length=1, max_length=1)]


class _Evaluation(msgspec.Struct, frozen=True):
    result: Annotated[tuple[_Row, ...], msgspec.Meta(min_length=1, max_length=1)]


def require_policy(policies: Path) -> None:
    """Raise ConfigError unless there is a policy."""
    if not (policies / "gateway").is_dir():
        raise ConfigError("config.invalid", f"{policies}:1: there is no policy here: no folder gateway")


def run_suite(opa: Opa, policies: Path, tests: Path) -> Iterator[Check]:
    """Every check, in the order in which a failure is easiest to mend."""
    require_policy(policies)
    yield schemas(policies)
    yield form(opa, policies, tests)
    yield types(opa, policies)
    yield compiled(opa, policies)
    if (policies / "meta").is_dir():
        yield rules_about_rules(opa, policies)
    yield requirements(opa, policies, tests)
    if (policies / "config").is_dir():
        yield configured(opa, policies, tests)
    yield tested(opa, policies, tests)
    yield covered(opa, policies, tests)


def schemas(policies: Path) -> Check:
    """The JSON Schemas are what the gateway checks documents against."""
    stale = [
        name
        for name, text in schema_texts().items()
        if not (policies / "schema" / name).is_file() or (policies / "schema" / name).read_text("utf-8") != text
    ]
    return Check(name="schemas", ok=not stale, said=f"stale: {', '.join(stale)}" if stale else "")


def form(opa: Opa, policies: Path, tests: Path) -> Check:
    """Everything is formatted."""
    folders = [path for path in (policies / "gateway", policies / "meta", policies / "config", tests) if path.is_dir()]
    answer = opa.run("fmt", "--list", "--fail", *folders)
    return Check(name="format", ok=answer.code == 0, said=answer.out.decode("utf-8", "replace").strip() or answer.said)


def types(opa: Opa, policies: Path) -> Check:
    """Strict mode, with the schema of the input and the list of built-ins that always give one answer."""
    with TemporaryDirectory(prefix="querywarden-check-") as folder:
        stage(policies, Path(folder))
        schema, bounded = (policies / "schema").resolve(), (policies / "capabilities.json").resolve()
        answer = opa.run("check", "-b", ".", "--strict", "-s", schema, "--capabilities", bounded, cwd=Path(folder))
    return Check(name="strict", ok=answer.code == 0, said=answer.said)


def compiled(opa: Opa, policies: Path) -> Check:
    """It compiles to both targets, twice to the same bytes; every code has what people are told of it."""
    try:
        first, second = compile_policy(opa, policies), compile_policy(opa, policies)
        same = base_of(first, "") == base_of(second, "")
    except GatewayError as error:
        return Check(name="compile", ok=False, said=error.detail or error.entry.message)
    return Check(name="compile", ok=same, said=_summary(first) if same else "two builds differ")


def _summary(compiled_policy: Compiled) -> str:
    return f"{len(compiled_policy.rules)} rules, {len(compiled_policy.reads)} paths of the input read"


def rules_about_rules(opa: Opa, policies: Path) -> Check:
    """Every rule has what the meta-policy asks for."""
    with TemporaryDirectory(prefix="querywarden-meta-") as folder:
        staged, facts = Path(folder) / "stage", Path(folder) / "trees.json"
        stage(policies, staged)
        facts.write_bytes(msgspec.json.encode({"modules": dict(modules(opa, staged))}))
        raw = opa.must("eval", "-d", policies / "meta", "-i", facts, "--strict-builtin-errors", META_QUERY)
    try:
        findings = msgspec.json.decode(raw, type=_Evaluation).result[0].expressions[0].value
    except msgspec.ValidationError:
        findings = (f"{META_QUERY} is undefined",)
    return Check(name="meta", ok=not findings, said="\n".join(findings))


def requirements(opa: Opa, policies: Path, tests: Path) -> Check:
    """Every requirement that a rule or a vector names is known to a catalogue: the policy's own, or the shipped one."""
    own = policies / "compliance"
    try:
        catalogue = read_catalogue(own if own.is_dir() else shipped_catalogue())
        found = base_of(compile_policy(opa, policies, tests / "vectors"), "")
    except GatewayError as error:
        return Check(name="requirements", ok=False, said=error.detail or error.entry.message)
    rules = read_contents(found).metadata.querywarden.rules
    wrong = [f"{policies}/{finding}" for finding in findings(rules, proofs_of(found), catalogue)]
    named = {control for rule in rules for control in rule.controls}
    return Check(name="requirements", ok=not wrong, said="\n".join(wrong) or f"{len(named)} named, all known")


def configured(opa: Opa, policies: Path, tests: Path) -> Check:
    """The rules about gateway.yaml, for conftest, pass their own tests, every line reached."""
    folders = (policies / "config", tests / "config")
    answer = opa.run("test", *folders, "--fail-on-empty", "--coverage", "--coverage-runs=", "--threshold", "100")
    said = answer.said if answer.code else ""
    return Check(name="configuration rules", ok=answer.code == 0, said=said)


def tested(opa: Opa, policies: Path, tests: Path) -> Check:
    """Every test passes, and there is one."""
    answer = opa.run("test", *_loaded(policies, tests), "--fail-on-empty")
    text = answer.out.decode("utf-8", "replace").strip()
    return Check(name="tests", ok=answer.code == 0, said=text or answer.said)


def each_test(opa: Opa, policies: Path, tests: Path) -> list[Check]:
    """Every test by itself, for programs; empty when opa could not run them."""
    answer = opa.run("test", *_loaded(policies, tests), "--format", "json")
    try:
        found = msgspec.json.decode(answer.out, type=tuple[_Test, ...])
    except msgspec.DecodeError:
        return []
    return [
        Check(
            name=f"{test.package.removeprefix('data.')}.{test.name}",
            ok=not test.fail,
            said=f"{test.location.file}:{test.location.row}: the test fails" if test.fail else "",
        )
        for test in sorted(found, key=lambda test: (test.package, test.name))
    ]


def covered(opa: Opa, policies: Path, tests: Path) -> Check:
    """Tests reach every line."""
    # without the extra passes that only say why a line was not reached
    answer = opa.run("test", *_loaded(policies, tests), "--coverage", "--coverage-runs=", "--format", "json")
    try:
        found = msgspec.json.decode(answer.out, type=Coverage)
    except msgspec.DecodeError:
        return Check(name="coverage", ok=False, said=answer.said)
    gaps = [f"{name}: {_lines(file)}" for name, file in sorted(found.files.items()) if file.not_covered]
    ok = answer.code == 0 and found.coverage >= WHOLE and not gaps
    return Check(name="coverage", ok=ok, said="\n".join([f"{found.coverage:g} %", *gaps]))


def _lines(file: _File) -> str:
    """The lines that no test reaches, neighbours together."""
    rows = sorted({row for span in file.not_covered for row in range(span.start.row, span.end.row + 1)})
    starts = [row for row in rows if row - 1 not in rows]
    ends = [row for row in rows if row + 1 not in rows]
    runs = [str(start) if start == end else f"{start}-{end}" for start, end in zip(starts, ends, strict=True)]
    return f"not covered: {', '.join(runs)}"


def _loaded(policies: Path, tests: Path) -> list[str]:
    ignored = [argument for name in NOT_LOADED for argument in ("--ignore", name)]
    return [str(policies), *([str(tests)] if tests.is_dir() else []), *ignored, "--timeout", f"{TEST_SECONDS}s"]
