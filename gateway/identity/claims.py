"""What the claims of a token say, once its signature is known to be right: checked values, never raw ones.

Sources: RFC 7519 §4.1 (registered claims), RFC 8693 §4.1 (`act`). Names and groups go to policy, records and people's
screens, so text that could hide or break something there (control and bidirectional characters, lone surrogates) is
refused here.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from gateway.core.errors import Unauthenticated
from gateway.core.principal import Delegator, Json

MAX_NAME: Final = 256
MAX_GROUPS: Final = 1000
MAX_KEPT: Final = 1024
MAX_INTEGER: Final = 2**53

Claims = Mapping[str, Json]


class ClaimNames(msgspec.Struct, frozen=True, kw_only=True):
    """Which claims hold what. A name may be a path, `realm_access.roles`; a claim of that exact name comes first."""

    subject: str = "sub"
    groups: str = "groups"
    on_behalf_of: str = "act"
    keep: tuple[str, ...] = ()
    """claims that policy may see; all others are dropped"""


def claim(claims: Claims, path: str) -> Json:
    """The value at a name or a dotted path; None when there is none."""
    if path in claims:
        return claims[path]
    value: Json = claims
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def number(claims: Claims, name: str) -> float | None:
    """A NumericDate (seconds since the epoch, RFC 7519 §2); None when the claim is absent."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_INTEGER:
        raise Unauthenticated("token.claims")
    return float(value)


def audiences(claims: Claims) -> frozenset[str]:
    """Whom the token is for: one string or a list of them (RFC 7519 §4.1.3)."""
    match claims.get("aud"):
        case str(one):
            return frozenset({one})
        case list(many) if all(isinstance(each, str) for each in many):
            return frozenset(many)
    return frozenset()


def subject(claims: Claims, names: ClaimNames) -> str:
    """Who the token is about."""
    value = claim(claims, names.subject)
    if not is_plain_name(value):
        raise Unauthenticated("token.subject")
    return str(value)


def groups(claims: Claims, path: str) -> tuple[str, ...]:
    """The groups, sorted, without repetition; none when the claim is absent."""
    value = claim(claims, path)
    if value is None:
        left_out = claims.get(
            "_claim_names"
        )  # OpenID Connect Core §5.6.2: the claim is elsewhere, so we do not know it
        if isinstance(left_out, dict) and path in left_out:
            raise Unauthenticated("token.groups")
        return ()
    if not isinstance(value, list) or len(value) > MAX_GROUPS or not all(is_plain_name(each) for each in value):
        raise Unauthenticated("token.groups")
    return tuple(sorted({str(each) for each in value}))


def delegator(claims: Claims, path: str) -> Delegator | None:
    """For whom the subject acts: an object with `sub` and perhaps `groups`, or a name."""
    value = claim(claims, path)
    if value is None:
        return None
    party = value if isinstance(value, dict) else {"sub": value}
    if not is_plain_name(party.get("sub")):
        raise Unauthenticated("token.delegation")
    try:
        return Delegator(id=str(party["sub"]), groups=groups(party, "groups"))
    except Unauthenticated:
        raise Unauthenticated("token.delegation") from None


def kept(claims: Claims, names: tuple[str, ...]) -> dict[str, Json]:
    """The claims policy may see: text, numbers, booleans and lists of them, each of bounded size."""
    chosen = {name: value for name in names if (value := claim(claims, name)) is not None}
    for value in chosen.values():
        items = value if isinstance(value, list) else [value]
        if len(items) > MAX_GROUPS or not all(_is_small(item) for item in items):
            raise Unauthenticated("token.claims")
    return chosen


def _is_small(value: Json) -> bool:
    match value:
        case bool():
            return True
        case int() | float():
            return -MAX_INTEGER <= value <= MAX_INTEGER
        case str():
            return len(value) <= MAX_KEPT and not hides_something(value)
        case _:
            return False


def is_plain_name(value: Json) -> bool:
    """Whether a value is text of 1 to 256 characters that shows what it is."""
    return (
        isinstance(value, str) and 0 < len(value) <= MAX_NAME and value == value.strip() and not hides_something(value)
    )


def hides_something(text: str) -> bool:
    """Whether text has control, formatting, private or surrogate characters, or spaces other than the usual one."""
    return not text.isprintable()
