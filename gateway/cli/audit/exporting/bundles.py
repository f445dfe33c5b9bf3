"""The life of each bundle that decided in a period (PCI DSS 6.5.1): archive, own tests, what they reach, what moved."""

from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Final

import msgspec
from msgspec import UNSET

from gateway.cli.audit.exporting.tally import Day
from gateway.cli.policy.diffing import BundleDiff, difference
from gateway.cli.policy.history import Entry, entries
from gateway.core.errors import GatewayError
from gateway.core.principal import Json
from gateway.evidence.package.contents import as_json
from gateway.evidence.package.zipped import Content, same
from gateway.policy.archive import read_archive
from gateway.policy.bundle import SITE_DATA, VECTORS, WASM, read_contents, whole_data
from gateway.policy.digests import canonical, canonical_value, policy_digest
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.manifest import Rule
from gateway.policy.site import Site
from gateway.policy.store import BundleStore
from gateway.policy.vectors import decode_vectors

WRONG_SHOWN: Final = 20


class Tests(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle's own vectors, asked of it again: before it came into force it had to answer all of them."""

    asked: int
    wrong: tuple[str, ...]
    """names of those that it answers otherwise"""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that a vector reaches; measured over the bundle's own vectors, not over lines of Rego."""

    rules: int
    reached: tuple[str, ...]
    missed: tuple[str, ...]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """One bundle."""

    sha256: str
    revision: str
    policy_digest: str
    decisions: int
    activations: tuple[Entry, ...]
    """oldest first"""
    kept: bool
    tests: Tests | None = None
    coverage: Coverage | None = None
    before: str = ""
    """sha256 of the one that was in force before it, if that is kept"""


class Opened:
    """A bundle's files, and what its manifest says."""

    def __init__(self, sha256: str, raw: bytes) -> None:
        self.sha256 = sha256
        self.raw = raw
        self.files = read_archive(raw)
        manifest = read_contents(self.files)
        self.revision = manifest.revision
        self.rules: tuple[Rule, ...] = manifest.metadata.querywarden.rules

    @property
    def site(self) -> Site:
        """What the organisation says in it."""
        return msgspec.convert(canonical_value(SITE_DATA, self.files.get(SITE_DATA, b"{}")), Site)

    def test(self) -> tuple[Tests, Coverage]:
        """Ask it its own vectors."""
        engine = EmbeddedEngine(self.files[WASM], whole_data(self.files))
        wrong, reached, asked = [], set(), 0
        try:
            for name in sorted(name for name in self.files if name.startswith(VECTORS)):
                file = decode_vectors(name, self.files[name])
                over = engine if file.site is UNSET else engine.over(self._with(file.site))
                for vector in file.vectors:
                    asked += 1
                    wanted = canonical(vector.decision)
                    reached |= {code for code in (rule.code for rule in self.rules) if f'"{code}"'.encode() in wanted}
                    if _answer(over, canonical(vector.input)) != wanted:
                        wrong.append(vector.name)
        finally:
            engine.close()
        codes = {rule.code for rule in self.rules}
        coverage = Coverage(rules=len(codes), reached=tuple(sorted(reached)), missed=tuple(sorted(codes - reached)))
        return Tests(asked=asked, wrong=tuple(wrong[:WRONG_SHOWN])), coverage

    def _with(self, site: Json) -> bytes:
        whole = msgspec.json.decode(whole_data(self.files), type=dict[str, Json])
        return canonical({"gateway": whole["gateway"], "site": site})


def _answer(engine: EmbeddedEngine, document: bytes) -> bytes:
    try:
        return engine.evaluate_now(document)
    except GatewayError as error:
        return error.code.encode()


class Bundles:
    """Those that decided in a period, and those that came into force in it. Methods raise OSError, ValueError."""

    def __init__(self, data_dir: Path, decisions: Mapping[str, int]) -> None:
        self._store = BundleStore(data_dir)
        self._decisions = {name.removeprefix("sha256:"): count for name, count in decisions.items() if name}
        self._data_dir = data_dir
        self.opened = {sha256: opened for sha256 in self._decisions if (opened := self._open(sha256))}

    @cached_property
    def lives(self) -> tuple[Life, ...]:
        """In the order in which they came into force."""
        return tuple(self._life(sha256) for sha256 in self._order())

    def refusing(self, day: Day) -> frozenset[str]:
        """Codes of rules that refuse, of the bundles that decided on a day."""
        names = {group.bundle.removeprefix("sha256:") for group in day.groups}
        opened = [self.opened[name] for name in sorted(names & self.opened.keys())]
        return frozenset(rule.code for each in opened for rule in each.rules if rule.effect == "deny")

    @property
    def last(self) -> Opened | None:
        """The one that came into force last."""
        known = [sha256 for sha256 in self._order() if sha256 in self.opened]
        return self.opened[known[-1]] if known else None

    def parts(self) -> dict[str, Content]:
        """`policies/<sha256>/…`."""
        parts: dict[str, Content] = {}
        for life in self.lives:
            opened = self.opened.get(life.sha256)
            if opened is None:
                continue
            folder = f"policies/{life.sha256}/"
            parts[f"{folder}bundle.tar.gz"] = partial(same, opened.raw)
            parts[f"{folder}life.json"] = partial(as_json, life)
            parts[f"{folder}tests.json"] = partial(as_json, life.tests)
            parts[f"{folder}coverage.json"] = partial(as_json, life.coverage)
            before = self._open(life.before) if life.before else None
            if before is not None:
                parts[f"{folder}diff.json"] = partial(_diff, before, opened)
        return parts

    def _order(self) -> Iterator[str]:
        """By their last activation; those of which none is known first."""
        last = {entry.sha256: number for number, entry in enumerate(self._activations())}
        yield from sorted(self._decisions, key=lambda sha256: (last.get(sha256, -1), sha256))

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """What the log tells of bundles, oldest first."""
        return tuple(reversed(list(entries(self._data_dir))))

    def _activations(self) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.type in {"bundle.activated", "bundle.rolled_back"})

    def _open(self, sha256: str) -> Opened | None:
        try:
            raw = self._store.read(sha256)
            return None if raw is None else Opened(sha256, raw)
        except (GatewayError, ValueError):
            return None  # what cannot be read is as good as lost: the package says that it is missing

    def _life(self, sha256: str) -> Life:
        opened = self.opened.get(sha256)
        mine = tuple(entry for entry in self._activations() if entry.sha256 == sha256)
        tests, coverage = opened.test() if opened else (None, None)
        return Life(
            sha256=sha256,
            revision=opened.revision if opened else "",
            policy_digest=policy_digest(opened.files) if opened else "",
            decisions=self._decisions[sha256],
            activations=mine,
            kept=opened is not None,
            tests=tests,
            coverage=coverage,
            before=next((entry.previous for entry in reversed(mine) if entry.previous not in {"", sha256}), ""),
        )


def _diff(before: Opened, after: Opened) -> bytes:
    try:
        found: BundleDiff = difference(before.files, after.files)
    except GatewayError as error:
        return as_json({"before": before.sha256, "after": after.sha256, "failed": error.code})
    return as_json(found)
