"""The keys of an identity provider: whether they can be had, and whether one may sign what we would take."""

import asyncio
from typing import Final

from gateway.cli.doctor.result import Result, Status
from gateway.config.issuers import key_source
from gateway.config.settings import Issuer
from gateway.identity.jwks import FetchFailed
from gateway.identity.keys import BadKeySet

PROBE: Final = "keys"


async def look(issuer: Issuer) -> Result:
    """Read its key set once, from where the gateway would."""
    try:
        source = await asyncio.to_thread(key_source, issuer)
        keys, _ = await source.read(None)
    except FetchFailed as error:
        return _result(issuer, Status.UNREACHABLE, f"not read: {error}", "Look at the issuer's address and network.")
    except (BadKeySet, OSError) as error:
        return _result(issuer, Status.NO, f"not usable: {error}", "Ask those who run the issuer.")
    fitting = sorted(name for key in keys.keys for name in key.algorithms & set(issuer.algorithms))
    if not fitting:
        remedy = "Compare identity.issuers[].algorithms with what the issuer signs by."
        return _result(issuer, Status.NO, "no key fits the algorithms of this issuer", remedy)
    return _result(issuer, Status.FINE, f"{len(keys.keys)} keys, for {', '.join(dict.fromkeys(fitting))}")


def _result(issuer: Issuer, status: Status, text: str, remedy: str = "") -> Result:
    return Result(probe=PROBE, about=issuer.issuer, status=status, text=text, remedy=remedy)
