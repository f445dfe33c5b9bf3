"""`querywarden audit sign-off`: a person has looked at a day's digest; who, when and why is recorded in the log."""

import sys
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_review
from gateway.cli.audit.desk import FINE, ConfigOption, DataOption, KeyOption, data_folder, reading, trusted
from gateway.cli.audit.digest import DayOption, in_words
from gateway.cli.audit.exporting.daily import day_of, digest_for
from gateway.cli.audit.exporting.days import sha256_of
from gateway.cli.audit.words import printable
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.policy.orders import Reviewed

REASON_MAX = 400


def sign_off(  # noqa: PLR0913 -- each is an option
    *,
    day: DayOption,
    reason: Annotated[str, Parameter(help="What was looked at and what was done about it: it is recorded.")],
    digest: Annotated[str, Parameter(help="The sha256 of the digest you saw: another one is not signed off.")] = "",
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    person: AsOption = "",
) -> int:
    """Sign off a day's digest (PCI DSS 10.4.1): a leaf says who looked at what, with the digest's hash."""
    if not reason.strip() or len(reason) > REASON_MAX:
        raise ConfigError("config.invalid", f"--reason: say what was looked at, in at most {REASON_MAX} characters")
    folder, verifier, name = data_folder(config, data), trusted(key), day_of(day, SystemClock())
    with reading():
        found, _ = digest_for(folder, name, verifier)
    seen = sha256_of(found)
    if digest not in {"", seen}:
        raise ConfigError("config.invalid", f"--digest: the digest of {name} is {seen} now; look at it again")
    review = Reviewed(day=name, until=found.until, digest=seen, detections=len(found.detections), person=person)
    note_review(folder, review, reason)
    sys.stdout.write(in_words(found, None).replace("not yet", printable(f"now: {reason}"), 1))
    return FINE
