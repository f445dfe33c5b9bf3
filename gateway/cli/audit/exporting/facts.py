"""What a period shows, one sentence each, with the file of the package that shows it: what the matrix is made of."""

from collections.abc import Iterator, Mapping

from gateway.cli.audit.exporting.days import sha256_of
from gateway.cli.audit.exporting.material import Material
from gateway.cli.audit.exporting.matrix import Fact
from gateway.policy.site import SENSITIVE

POPULATION, SUMMARY = "decisions/population.csv", "report/summary.json"
DAILY, REVIEW, LIFE = "report/daily.json", "report/access_review.html", "report/bundles.json"
DEFINING = ("create", "create_table_as", "alter", "drop", "truncate", "comment", "refresh")
NOTHING_GRANTS = ("access.no_grant", "access.not_granted", "access.action", "access.not_covered")
COPIES = ("copy_out", "copy_in")


def facts_of(material: Material) -> dict[str, Fact]:
    """By name."""
    found: dict[str, Fact] = {}
    for part in (_decisions, _card_data, _access, _identities, _the_log, _operation, _extras):
        found.update(part(material))
    return found


def governed(material: Material) -> frozenset[str]:
    """What the bundle that was in force last governs, of what a requirement may be about."""
    site = material.site
    labels = set() if site is None else {
        label for tables in site.classification.values() for columns in tables.values()
        for labels in columns.values() for label in labels
    }  # fmt: skip
    kinds = {"sensitive": bool(labels & SENSITIVE), "cards": bool(labels - SENSITIVE)}
    kinds["identities"] = bool(site and site.application_identities)
    return frozenset(name for name, has in kinds.items() if has)


def some(count: int, text: str, place: str) -> Fact:
    """A fact that there is only when something happened."""
    return Fact(f"{count:,} {text}", place, count > 0 or None)


def _decisions(material: Material) -> Iterator[tuple[str, Fact]]:
    outcomes = material.outcomes
    total, denied = sum(outcomes.values()), outcomes.get("deny", 0)
    ungranted = sum(material.codes.get(code, 0) for code in NOTHING_GRANTS)
    yield "decisions", some(total, "statements decided, each with who, when, what, outcome and policy hash", POPULATION)
    yield "refused", some(denied, f"statements refused; {ungranted:,} reasons were that nothing granted it", POPULATION)
    held = outcomes.get("require_approval", 0)
    yield "approvals", some(held, "statements waited for a person", POPULATION)
    defining = sum(count for group, count in material.groups.items() if group.action in DEFINING)
    yield "definitions", some(defining, "statements that define, change or drop objects were decided", POPULATION)
    copies = sum(count for group, count in material.groups.items() if group.action in COPIES)
    yield "copies", some(copies, "COPY statements were decided like every other", POPULATION)
    bounded = material.codes.get("access.limited", 0) + material.codes.get("access.budget", 0)
    yield "limits", some(bounded, "decisions carried a limit of rows, bytes, time or labelled rows", SUMMARY)


def _card_data(material: Material) -> Iterator[tuple[str, Fact]]:
    codes = material.codes
    masked = codes.get("pci.cardholder.masked", 0)
    yield "masked", some(masked, "decisions showed labelled columns only masked", SUMMARY)
    cleared = codes.get("pci.cardholder.cleared", 0)
    yield "cleared", some(cleared, "decisions showed a label to who is cleared for it", DAILY)
    yield "glass", some(codes.get("pci.breakglass.used", 0), "decisions showed a label in an emergency", DAILY)
    hidden = codes.get("pci.cardholder.sensitive", 0)
    yield "sensitive", some(hidden, "decisions met verification codes, track or PIN data, and showed nothing", SUMMARY)
    blanked = sum(count for day in material.tally.days.values() for count in day.blanked.values())
    text = "card numbers where none are expected were blanked on their way out"
    yield "blanked", Fact(f"{blanked:,} {text}", DAILY, holds=True if blanked else None)


def _access(material: Material) -> Iterator[tuple[str, Fact]]:
    review = material.review
    if review is not None:
        yield "grants", some(len(review.lines), "rights in the table of role, data and action", REVIEW)
        unused = (
            f"{review.unused:,} of {len(review.lines):,} rights were not used, {len(review.idle_agents):,} agents idle"
        )
        yield "unused", Fact(unused, REVIEW)
    classified = material.columns
    yield "classified", some(classified, "columns are classified in the bundle in force", LIFE)
    lives = material.bundles.lives
    lost = [life.sha256[:12] for life in lives if not life.kept]
    orders = sum(len(life.activations) for life in lives)
    told = f"{len(lives):,} bundles decided, brought into force {orders:,} times, each by a record of who and why"
    yield (
        "bundles",
        Fact(f"{told}; not kept: {', '.join(lost)}" if lost else told, LIFE, holds=not lost if lives else None),
    )
    wrong = [life.sha256[:12] for life in lives if life.tests and life.tests.wrong]
    asked = sum(life.tests.asked for life in lives if life.tests)
    said = f"{asked:,} of the bundles' own tests answered again" + (
        f"; otherwise by {', '.join(wrong)}" if wrong else ""
    )
    yield "tests", Fact(said, LIFE, holds=not wrong if asked else None)


def _identities(material: Material) -> Iterator[tuple[str, Fact]]:
    tally = material.tally
    sessions = sum(day.sessions for day in tally.days.values())
    yield "sessions", some(sessions, f"sessions of {len(tally.agents):,} agents, each by its own token", REVIEW)
    failed = sum(day.failed_logins.total() for day in tally.days.values())
    yield "logins", some(failed, "failed logins, each recorded with its reason", DAILY)
    interactive = material.codes.get("access.interactive", 0) + material.codes.get("access.program", 0)
    yield "identities", some(interactive, "uses of an application's identity by a person's tool were refused", SUMMARY)
    credentials = len(tally.rare("credential."))
    yield "credentials", some(credentials, "changes of credentials recorded", "report/operation.json")


def _the_log(material: Material) -> Iterator[tuple[str, Fact]]:
    tree = material.taken.newest.tree
    text = f"log {tree.origin}: {tree.size:,} leaves under one signed root; verify.py derives it from the entries"
    yield "log", Fact(text, "log/")
    seen = material.tally.kinds.get("witness.cosigned", 0)
    refused = material.tally.kinds.get("witness.refused", 0)
    if refused:
        yield "witness", Fact(f"a witness refused the log {refused:,} times", "report/operation.json", holds=False)
    elif seen:
        yield "witness", Fact(f"cosigned by independent witnesses {seen:,} times", "log/")
    else:
        yield "witness", Fact("no independent witness cosigned the log", "log/", holds=False)
    accesses = material.tally.kinds.get("evidence.accessed", 0)
    yield (
        "custody",
        some(accesses, "times a person read evidence, each recorded before anything was shown", "custody.jsonl"),
    )
    starts = material.tally.kinds.get("log.opened", 0) + material.tally.kinds.get("log.closed", 0)
    yield "starts", some(starts, "starts and stops of the log recorded", "report/operation.json")
    orders = len(material.tally.rare("bundle.", "policy.", "config.loaded", "key.", "credential."))
    yield "administration", some(orders, "administrative acts recorded: bundles, stops, configuration, keys", LIFE)


def _operation(material: Material) -> Iterator[tuple[str, Fact]]:
    operation = "report/operation.json"
    intervals = len(material.operation.degraded)
    told = f"{intervals:,} intervals in which nothing could be recorded, and nothing was let through: cause, start, end"
    yield "degraded", Fact(told, operation)
    offsets, far = (count["clock.measured"] for count in (material.tally.kinds, material.tally.not_ok))
    adrift = sum(_adrift(each.facts) for each in material.operation.clock)
    said = f"{offsets:,} measurements of the clock recorded"
    said += f"; {far:,} found it far off" if far else ""
    said += "; the machine says that nothing keeps it" if adrift else ""
    yield "clock", Fact(said, operation, holds=not (far or adrift) if offsets else None)
    keys = len(material.operation.keys)
    yield "keys", some(keys, "keys in the inventory, with their life as the log tells it", operation)
    reviewed = {day: review.digest for day, review in material.signed_off.items()}
    days, signed = len(material.days), sum(sha256_of(day) == reviewed.get(day.day) for day in material.days)
    text = f"{signed:,} of {days:,} days reviewed and signed off"
    yield "reviews", Fact(text, DAILY, holds=(signed == days) if days else None)
    failed = material.tally.kinds.get("sink.failed", 0)
    if material.sinks:
        said = f"copied off to {material.sinks:,} receivers; {failed:,} times one could not be reached for a while"
        yield "copies_of_log", Fact(said, operation)


def _extras(material: Material) -> Iterator[tuple[str, Fact]]:
    """Results of other commands, when they were given."""
    yield from material.extras.items()


def _adrift(facts: Mapping[str, object]) -> bool:
    """Whether the machine said that nothing keeps its clock."""
    kernel = facts.get("kernel")
    return isinstance(kernel, dict) and kernel.get("synchronised") is False
