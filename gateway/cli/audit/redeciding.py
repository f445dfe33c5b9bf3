"""A period of decisions, each computed again by the bundle that decided it: equal, byte for byte, or named.

Decisions with the same bundle, input and answer are one question. It is asked by the code that back-tests a candidate
(`policy.evaluating`), which is the code that decides: one engine, one data document, one look at what is a decision.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.cli.audit.recompute import is_canonical, opened
from gateway.cli.policy.evaluating import Answer, ask_several
from gateway.cli.policy.past import LoggedPast, Step
from gateway.core.errors import GatewayError
from gateway.core.verdict import Outcome
from gateway.evidence.leaf import NAMED, Leaf
from gateway.policy.archive import read_archive
from gateway.policy.digests import policy_digest
from gateway.policy.embedded import NAME
from gateway.policy.store import FOLDER, BundleStore

NAMED_AT_MOST: Final = 20
"""decisions that are named for each thing that does not hold"""


class Question(NamedTuple):
    """Decisions that cannot differ. Hashes in hex, empty when there is none."""

    bundle: str
    input: str
    answer: str
    carried: str
    """outcome as it was carried out"""
    digest: str
    """policy digest, as the leaf has it"""


class Different(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions that do not hold, and why."""

    why: str
    decisions: int
    examples: tuple[str, ...]
    """ids of some of them"""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a period."""

    ok: bool
    """every decision that policy made was computed again, and equal"""
    decisions: int
    questions: int
    """different ones, each asked once"""
    equal: int
    refused: int
    """by the gateway itself, or for want of an answer: there is nothing to compute"""
    different: int
    impossible: int
    """what is needed to compute them is not there"""
    bundles: dict[str, int]
    """hex sha256 → decisions"""
    engines: dict[str, int]
    """that decided → decisions"""
    engine_now: str
    findings: tuple[Different, ...]


Bodies = Callable[[Iterable[str]], Iterator[tuple[str, bytes]]]


def decide_again(past: LoggedPast, data_dir: Path, processes: int, leaves: Step, questions: Step) -> Report:
    """Compute a period again. `leaves` and `questions` are told how far it is. Raises OSError and ValueError."""
    gathered = _Gathered()
    for leaf in past.leaves(leaves):
        gathered.add(leaf)
    store, verdicts = BundleStore(data_dir), _Verdicts(gathered)
    usable: dict[str, set[str]] = {}
    for question in gathered.counts:
        why = verdicts.before(question)
        if why is None:
            usable.setdefault(question.bundle, set()).add(question.input)
    kept = {bundle: names for bundle, names in usable.items() if verdicts.bundle(bundle, store)}
    total = sum(map(len, kept.values()))
    asked = (
        (data_dir / FOLDER / f"{bundle}.tar.gz", verdicts.documents(past.bodies(names), bundle))
        for bundle, names in sorted(kept.items())
    )
    for done, (path, name, answer) in enumerate(ask_several(asked, processes), 1):
        verdicts.answers[path.name.removesuffix(".tar.gz"), name] = answer
        questions(done, total)
    return verdicts.report()


class _Gathered:
    """The decisions of a period, counted."""

    def __init__(self) -> None:
        self.counts: Counter[Question] = Counter()
        self.examples: dict[Question, list[str]] = {}
        self.engines: Counter[str] = Counter()
        self.bundles: Counter[str] = Counter()

    def add(self, leaf: Leaf) -> None:
        """One decision."""
        plain = [name.removeprefix(NAMED) for name in (leaf.bundle, leaf.in_, leaf.out, leaf.policy_digest)]
        question = Question(plain[0], plain[1], plain[2], leaf.outcome, plain[3])
        self.counts[question] += 1
        examples = self.examples.setdefault(question, [])
        if len(examples) < NAMED_AT_MOST:
            examples.append(leaf.did)
        self.engines[leaf.engine] += 1
        self.bundles[question.bundle] += 1


class _Verdicts:
    """What is known of each question."""

    def __init__(self, gathered: _Gathered) -> None:
        self._gathered = gathered
        self.answers: dict[tuple[str, str], Answer] = {}
        self._bundles: dict[str, str] = {}
        """of those at hand, their policy digest"""
        self._broken: dict[str, str] = {}
        self._odd: set[tuple[str, str]] = set()

    def before(self, question: Question) -> str | None:
        """Why a question need not be asked, or cannot be; None when it is to be."""
        if question.input and question.bundle and question.answer:
            return None
        refused = question.carried == Outcome.DENY
        return "" if refused else "there is no answer, which denies; yet it was let through"

    def bundle(self, sha256: str, store: BundleStore) -> bool:
        """Whether the bundle that decided is at hand, whole."""
        try:
            raw = store.read(sha256)
            if raw is None:
                self._broken[sha256] = "the bundle is not in the archive"
                return False
            self._bundles[sha256] = policy_digest(read_archive(raw))
        except (GatewayError, ValueError) as error:
            self._broken[sha256] = str(error)
            return False
        return True

    def documents(self, bodies: Iterable[tuple[str, bytes]], bundle: str) -> Iterator[tuple[str, bytes]]:
        """Those that were written the one canonical way; the others are remembered."""
        for name, raw in bodies:
            if not is_canonical(raw):
                self._odd.add((bundle, name))
            yield name, raw

    def report(self) -> Report:
        """All of it."""
        counts = self._gathered.counts
        kinds, findings = Counter[str](), dict[tuple[str, str], list[Question]]()
        for question in counts:
            kind, why = self._said(question)
            kinds[kind] += counts[question]
            if why:
                findings.setdefault((kind, why), []).append(question)
        return Report(
            ok=not kinds["different"] and not kinds["impossible"],
            decisions=counts.total(),
            questions=len(self.answers),
            equal=kinds["equal"],
            refused=kinds["refused"],
            different=kinds["different"],
            impossible=kinds["impossible"],
            bundles=_sorted(self._gathered.bundles),
            engines=_sorted(self._gathered.engines),
            engine_now=NAME,
            findings=tuple(self._finding(f"{kind}: {why}", found) for (kind, why), found in sorted(findings.items())),
        )

    def _said(self, question: Question) -> tuple[str, str]:
        """`equal`, `refused`, `different` or `impossible`, and why."""
        before = self.before(question)
        if before is not None:
            return ("different" if before else "refused"), before
        if question.bundle in self._broken:
            return "impossible", self._broken[question.bundle]
        answer = self.answers.get((question.bundle, question.input))
        if answer is None:
            return "impossible", "the stored input is not there, or was changed"
        why = self._differs(question, answer)
        return ("different" if why else "equal"), why

    def _differs(self, question: Question, answer: Answer) -> str:
        if (question.bundle, question.input) in self._odd:
            return "the stored input is not canonical: no gateway wrote it so"
        if question.digest and question.digest != self._bundles[question.bundle]:
            return "the bundle of that sha256 has another policy digest than the leaf"
        if answer.sha256 != question.answer:
            return "the bundle answers otherwise now"
        if opened(answer.outcome, question.carried):
            return f"the bundle answers {answer.outcome}; carried out was {question.carried}"
        return ""

    def _finding(self, why: str, found: list[Question]) -> Different:
        gathered = self._gathered
        examples = [did for question in found for did in gathered.examples[question]]
        decisions = sum(gathered.counts[question] for question in found)
        return Different(why=why, decisions=decisions, examples=tuple(examples[:NAMED_AT_MOST]))


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
