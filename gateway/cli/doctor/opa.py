"""The OPA server: whether it is there, and decides by the bundle that is configured here."""

from collections.abc import Sequence
from typing import Final

from gateway.cli.doctor.result import Result, Status, of_error
from gateway.config.ruling import server_of
from gateway.config.settings import Policy
from gateway.policy.bundle import Bundle
from gateway.policy.engine import EngineError
from gateway.policy.opa import Opa, OpaEngine

PROBE: Final = "opa"


async def look(policy: Policy, bundle: Bundle | None) -> Sequence[Result]:
    """Ask it what it has loaded, as the gateway does with each statement. Nothing, where there is none to ask."""
    if policy.opa is None or bundle is None:
        return ()
    opa = Opa(server_of(policy.opa))
    engine = OpaEngine(opa, bundle)
    try:
        await engine.check()
    except EngineError as error:
        return (of_error(PROBE, policy.opa.url, error),)
    finally:
        await opa.close()
    text = f"{engine.name} has {bundle.sha256[:12]} {bundle.revision}"
    return (Result(probe=PROBE, about=policy.opa.url, status=Status.FINE, text=text),)
