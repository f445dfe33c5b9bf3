"""The registry of every code a person can meet: one place, one line each, read by docs and tests.

A code is what a refusal, a hazard or a failure is called in errors, records and documentation. Each line knows how the
three kinds of caller see it (SQLSTATE of PostgreSQL 18 appendix A, MySQL error number, HTTP status), what happened, and
what to do next. Codes that rules give (`access.*`, `pci.*`) live in the bundle's METADATA, not here.
"""

from typing import NamedTuple


class Code(NamedTuple):
    """How one condition is shown to whoever meets it."""

    sqlstate: str
    mysql: int
    http: int
    message: str
    remedy: str


_DENIED = ("42501", 1142, 403)
_BAD_TOKEN = ("28000", 1045, 401)
_UNAVAILABLE = ("57P03", 1205, 503)
_PROTOCOL = ("08P01", 1835, 400)

CODES: dict[str, Code] = {
    # --- identity ------------------------------------------------------------------------------------------------
    # --- wire ----------------------------------------------------------------------------------------------------
    # --- sql: what could not be understood or rewritten ------------------------------------------------------------
    "statement.unanalysable": Code(
        *_DENIED, "the statement could not be read as SQL", "Check the syntax; send one plain SQL statement."
    ),
    # --- policy ----------------------------------------------------------------------------------------------------
    "policy.denied": Code(*_DENIED, "policy does not allow this statement", "See the reasons given with this error."),
    "policy.unavailable": Code(
        *_UNAVAILABLE, "no valid policy bundle is active", "Ask the operator to activate a signed bundle."
    ),
    "obligation.unsupported": Code(
        *_DENIED, "policy asks for something this gateway does not do yet", "Ask the policy owner to change the rule."
    ),
    # --- evidence --------------------------------------------------------------------------------------------------
    "evidence.unavailable": Code(
        *_UNAVAILABLE, "the decision could not be recorded", "Ask the operator to look at the evidence folder; retry."
    ),
    # --- session, upstream -----------------------------------------------------------------------------------------
    # --- demo ------------------------------------------------------------------------------------------------------
    "demo.no_postgres": Code(
        *_UNAVAILABLE, "no PostgreSQL was found for the demo", "Install PostgreSQL 13 or newer, or `querywarden[demo]`."
    ),
    "demo.postgres_failed": Code(
        *_UNAVAILABLE, "the demo's PostgreSQL did not run", "Read what it said, in the demo's folder."
    ),
}
