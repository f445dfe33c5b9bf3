"""One day's digest out of the log, the same each time it is made of a day that is over."""

import datetime as dt
from pathlib import Path

from gateway.cli.audit.exporting.answers import read_answers
from gateway.cli.audit.exporting.bundles import Bundles
from gateway.cli.audit.exporting.days import DAY_NS, Digest, Ground, digest_of, end_of
from gateway.cli.audit.exporting.known import Known, seen_before
from gateway.cli.audit.exporting.signoffs import SignOff, sign_offs
from gateway.cli.audit.exporting.tally import Day, Tally
from gateway.core.clock import Clock
from gateway.core.errors import ConfigError
from gateway.evidence.note import Verifier
from gateway.evidence.package.building import take
from gateway.evidence.package.population import Period


def day_of(text: str, clock: Clock) -> str:
    """A day as `2026-11-25`, `today` or `yesterday`, UTC. Raises ConfigError."""
    today = dt.datetime.fromtimestamp(clock.now_ns() // 10**9, tz=dt.UTC).date()
    named = {"today": today, "yesterday": today - dt.timedelta(days=1)}
    try:
        return (named.get(text) or dt.date.fromisoformat(text)).isoformat()
    except ValueError:
        raise ConfigError("config.invalid", f"--day {text}: a day like 2026-11-25, today or yesterday") from None


def digest_for(folder: Path, day: str, verifier: Verifier | None) -> tuple[Digest, SignOff | None]:
    """The digest, and who signed it off last. Raises OSError, ValueError."""
    end = end_of(day)
    taken = take(folder, Period(end - DAY_NS, end), verifier)
    tally = Tally(taken.period)
    for snapshot, span in taken.epochs:
        for leaf in snapshot.leaves(span.first, span.end):
            tally.see(leaf)
    answers = read_answers({group.answer for group in tally.groups}, taken.newest.reader.body)
    bundles = Bundles(folder, {group.bundle: 1 for group in tally.groups})
    found = tally.days.get(day, Day())
    ground = Ground(answers, bundles.refusing(found), taken.period.until_ns)
    digest = digest_of(day, found, ground, Known(seen_before(taken)).at(end - DAY_NS))
    signed = [review for review in sign_offs(taken) if review.day == day]
    return digest, signed[-1] if signed else None
