"""From the identity section to a verifier, and what can be wrong on the way."""

import ssl
from collections import Counter
from collections.abc import Callable, Iterator

from gateway.config import settings as s
from gateway.config.checks import Remark, check_authority, check_file
from gateway.config.document import Place
from gateway.core.clock import Clock
from gateway.identity.claims import ClaimNames
from gateway.identity.jwks import Cached, FromAddress, FromDiscovery, FromFile, HttpFetch, Source, is_safe_url
from gateway.identity.keys import BadKeySet, parse_key_set
from gateway.identity.verifier import TrustedIssuer, Verifier

MAX_SKEW = 300
"""seconds"""


def build_verifier(identity: s.Identity, clock: Clock, note: Callable[[str], None] = lambda _: None) -> Verifier:
    """The verifier of the configured issuers. `note` is told when keys could not be read, without the token."""
    return Verifier([_trusted(issuer, clock, note) for issuer in identity.issuers], clock, round(identity.skew))


def _trusted(issuer: s.Issuer, clock: Clock, note: Callable[[str], None]) -> TrustedIssuer:
    return TrustedIssuer(
        issuer=issuer.issuer,
        audience=frozenset(issuer.audience),
        algorithms=frozenset(issuer.algorithms),
        keys=Cached(key_source(issuer), clock, lambda text: note(f"{issuer.issuer}: {text}")),
        names=ClaimNames(
            subject=issuer.claims.subject,
            groups=issuer.claims.groups,
            on_behalf_of=issuer.claims.on_behalf_of,
            keep=issuer.claims.keep,
        ),
    )


def key_source(issuer: s.Issuer) -> Source:
    """Where the keys of an issuer come from. Raises OSError when its authority cannot be read."""
    if issuer.jwks_file is not None:
        return FromFile(issuer.jwks_file)
    fetch = HttpFetch(ssl.create_default_context(cafile=issuer.jwks_ca) if issuer.jwks_ca is not None else None)
    return FromDiscovery(issuer.issuer, fetch) if issuer.jwks_uri is None else FromAddress(issuer.jwks_uri, fetch)


def check_identity(identity: s.Identity) -> Iterator[Remark]:
    """Each issuer once, its keys from one place that can be trusted."""
    for name, times in Counter(issuer.issuer for issuer in identity.issuers).items():
        if times > 1:
            yield Remark(("identity", "issuers"), f"{name} stands here {times} times")
    if not 0 <= identity.skew <= MAX_SKEW:
        yield Remark(("identity", "skew"), "must be at most 5m")
    for index, issuer in enumerate(identity.issuers):
        yield from _check_issuer(issuer, ("identity", "issuers", index))


def _check_issuer(issuer: s.Issuer, place: Place) -> Iterator[Remark]:
    if issuer.jwks_file is not None and issuer.jwks_uri is not None:
        yield Remark(place, "jwks_file and jwks_uri: give one of them")
    elif issuer.jwks_file is not None:
        yield from _check_key_file(issuer, (*place, "jwks_file"))
    elif issuer.jwks_uri is not None and not is_safe_url(issuer.jwks_uri):
        yield Remark((*place, "jwks_uri"), "must be https (http only to loopback), without a user name or a fragment")
    elif issuer.jwks_uri is None and not is_safe_url(issuer.issuer):
        yield Remark((*place, "issuer"), "discovery needs an https issuer; else give jwks_file or jwks_uri")
    if issuer.jwks_ca is not None:
        yield from check_authority(issuer.jwks_ca, (*place, "jwks_ca"))


def _check_key_file(issuer: s.Issuer, place: Place) -> Iterator[Remark]:
    if issuer.jwks_file is None:
        return
    if found := list(check_file(issuer.jwks_file, place)):
        yield from found
        return
    try:
        keys = parse_key_set(issuer.jwks_file.read_bytes())
    except OSError as error:
        yield Remark(place, f"{issuer.jwks_file}: {error.strerror}")
    except BadKeySet as error:
        yield Remark(place, f"{issuer.jwks_file}: {error}")
    else:
        if not any(key.algorithms & set(issuer.algorithms) for key in keys.keys):
            yield Remark(place, f"{issuer.jwks_file}: no key fits the algorithms of this issuer")
