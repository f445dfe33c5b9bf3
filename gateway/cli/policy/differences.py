"""What a candidate would have decided otherwise: counted by outcome, rule, agent and table, with examples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import msgspec

from gateway.cli.audit.words import printable
from gateway.cli.policy.evaluating import Answer, answer_of
from gateway.cli.policy.past import Group, Past
from gateway.evidence.search import Asked, Text

EXAMPLES: Final = 10
SHOWN: Final = 20
"""lines of one table that people read; JSON has them all"""
ARROW: Final = " -> "
Item = TypeVar("Item")


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that would be another one."""

    did: str
    subject: str
    connection: str
    statement: str
    before: str
    after: str
    lost: tuple[str, ...]
    """codes that are given no more"""
    gained: tuple[str, ...]
    decisions: int
    """how many like it"""


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate held against a period."""

    decisions: int = 0
    inputs: int = 0
    """different questions among them: each was evaluated once"""
    not_asked: int = 0
    """decisions of the gateway itself, or for want of an answer: policy has no part in them"""
    missing: int = 0
    """decisions whose documents are not there any more, so that nothing is known of them"""
    same: int = 0
    changed: int = 0
    outcomes: dict[str, int] = {}
    """`allow -> deny` → decisions; an outcome alone: other reasons or obligations"""
    lost: dict[str, int] = {}
    """code → decisions that do not give it any more"""
    gained: dict[str, int] = {}
    agents: dict[str, int] = {}
    tables: dict[str, int] = {}
    """`connection/schema.relation` → decisions; one decision counts for each of its relations"""
    examples: tuple[Example, ...] = ()
    notes: tuple[str, ...] = ()
    """what the comparison cannot show"""

    @property
    def none(self) -> bool:
        """Nothing would change, and nothing is unknown."""
        return not self.changed and not self.missing


class _Counts:
    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.gained: Counter[str] = Counter()
        self.agents: Counter[str] = Counter()
        self.tables: Counter[str] = Counter()

    def add(self, group: Group, example: Example, text: Text) -> None:
        way = example.before if example.before == example.after else f"{example.before}{ARROW}{example.after}"
        self.outcomes[way] += group.count
        self.agents[group.subject] += group.count
        for counter, codes in ((self.lost, example.lost), (self.gained, example.gained)):
            for code in codes:
                counter[code] += group.count
        for table in {f"{group.connection}/{each.schema}.{each.name}" for each in text.relations}:
            self.tables[table] += group.count


def compare(
    past: Past, groups: Sequence[Group], answers: Mapping[str, Answer], notes: Sequence[str] = ()
) -> Differences:
    """Hold what was answered against what the candidate answers; `answers` by the hash of the input."""
    asked = [group for group in groups if group.input and group.answer]
    known = [group for group in asked if group.input in answers]
    changed = [group for group in known if answers[group.input].sha256 != group.answer]
    before = {name: answer_of(raw) for name, raw in past.bodies({group.answer for group in changed})}
    counts, examples, lost = _Counts(), [], 0
    for group, text in _with_texts(past, changed):
        if group.answer not in before:
            lost += group.count
            continue
        example = _example(group, text, before[group.answer], answers[group.input])
        counts.add(group, example, text)
        examples.append(example)
    return Differences(
        decisions=_decisions(groups),
        inputs=len(answers),
        not_asked=_decisions(groups) - _decisions(asked),
        missing=_decisions(asked) - _decisions(known) + lost,
        same=_decisions(known) - _decisions(changed),
        changed=_decisions(changed) - lost,
        outcomes=_sorted(counts.outcomes),
        lost=_sorted(counts.lost),
        gained=_sorted(counts.gained),
        agents=_sorted(counts.agents),
        tables=_sorted(counts.tables),
        examples=tuple(_alike(examples))[:EXAMPLES],
        notes=tuple(notes),
    )


def _with_texts(past: Past, groups: Iterable[Group]) -> Iterator[tuple[Group, Text]]:
    by_input: dict[str, list[Group]] = {}
    for group in groups:
        by_input.setdefault(group.input, []).append(group)
    for name, raw in past.bodies(by_input):
        text = msgspec.json.decode(raw, type=Asked).statement
        yield from ((group, text) for group in by_input[name])


def _example(group: Group, text: Text, before: Answer, after: Answer) -> Example:
    return Example(
        did=group.example,
        subject=group.subject,
        connection=group.connection,
        statement=text.text_redacted,
        before=before.outcome,
        after=after.outcome,
        lost=tuple(sorted(set(before.codes) - set(after.codes))),
        gained=tuple(sorted(set(after.codes) - set(before.codes))),
        decisions=group.count,
    )


def _alike(examples: Iterable[Example]) -> Iterator[Example]:
    """One of those that change in the same way, with how many there are; a change of outcome before other changes."""
    first: dict[tuple[object, ...], Example] = {}
    for each in sorted(examples, key=lambda each: (-each.decisions, each.did)):
        key = (each.connection, each.before, each.after, each.lost, each.gained)
        old = first.get(key)
        first[key] = each if old is None else msgspec.structs.replace(old, decisions=old.decisions + each.decisions)
    yield from sorted(first.values(), key=lambda each: (each.before == each.after, -each.decisions, each.did))


def _decisions(groups: Iterable[Group]) -> int:
    return sum(group.count for group in groups)


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def in_words(found: Differences) -> str:
    """Several lines, for people."""
    lines = [
        f"decisions   {found.decisions:,}, of which {found.not_asked:,} were not policy's",
        f"questions   {found.inputs:,} different ones, each evaluated once",
        f"same        {found.same:,}",
        f"changed     {found.changed:,}",
    ]
    if found.missing:
        lines.append(f"UNKNOWN     {found.missing:,}: their documents are not there any more")
    tables = {
        "outcome": found.outcomes,
        "rule lost": found.lost,
        "rule gained": found.gained,
        "agent": found.agents,
        "table": found.tables,
    }
    for title, counts in tables.items():
        for number, (name, count) in enumerate(list(counts.items())[:SHOWN]):
            lines.append(f"{title if not number else '':<12}{count:>10,}  {printable(name)}")
        if len(counts) > SHOWN:
            lines.append(f"{'':<12}{'…':>10}  {len(counts) - SHOWN} more; --json has them all")
    for example in found.examples:
        lines.append(
            f"example     {example.did}  {example.before}{ARROW}{example.after}, {example.decisions:,} like it"
        )
        lines.append(printable(f"            {example.subject} on {example.connection}: {example.statement}"))
        lines += [f"            - {code}" for code in example.lost] + [
            f"            + {code}" for code in example.gained
        ]
    return "\n".join([*lines, *(f"note        {note}" for note in found.notes)]) + "\n"
