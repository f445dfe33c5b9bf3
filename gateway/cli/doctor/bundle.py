"""The configured bundle: whether the gateway would believe it, and whether it answers."""

import asyncio
from typing import Final

import msgspec

from gateway.cli.doctor.result import Result, Status, of_error
from gateway.cli.policy.moments import written
from gateway.config.ruling import source_of
from gateway.config.settings import Policy
from gateway.core.clock import Clock
from gateway.core.errors import BundleRejected, GatewayError
from gateway.policy.decider import Active
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.gate import try_vectors
from gateway.policy.keyring import Keyring
from gateway.policy.probe import PROBE as QUESTION

PROBE: Final = "bundle"
SOON: Final = 14 * 86400
"""seconds before its end at which a bundle is worth a note"""
_NS: Final = 1_000_000_000


async def look(policy: Policy, clock: Clock) -> tuple[Result, Active | None]:
    """Verify it, load it and ask it something, as `serve` does; the bundle when it may decide."""
    path, source = str(policy.bundle), source_of(policy, clock)
    try:
        raw = await source.fetch(anew=True)
        active = await asyncio.to_thread(_opened, raw or b"", policy, clock.now_ns() // _NS)
        await active.decide(QUESTION, clock)
    except GatewayError as error:
        return of_error(PROBE, path, error), None
    except msgspec.ValidationError:
        return of_error(PROBE, path, BundleRejected("bundle.malformed", "it cannot be asked")), None
    return _fine(path, active, clock.now_ns() // _NS), active


def _opened(raw: bytes, policy: Policy, now_s: int) -> Active:
    """Raises BundleRejected, ConfigError and EngineError."""
    bundle = Keyring(policy.verification_keys, policy.revoked_keys).open(raw, now_s)
    if bundle.demo:
        raise BundleRejected("bundle.demo")
    engine = EmbeddedEngine(bundle.wasm, bundle.data)
    try_vectors(bundle, engine)
    return Active(bundle, engine)


def _fine(path: str, active: Active, now_s: int) -> Result:
    bundle = active.bundle
    until = f", until {written(bundle.expires_at)}" if bundle.expires_at is not None else ""
    soon = bundle.expires_at is not None and bundle.expires_at - now_s < SOON
    return Result(
        probe=PROBE,
        about=path,
        status=Status.NOTE if soon else Status.FINE,
        text=f"{bundle.sha256[:12]} {bundle.revision}, release {bundle.sequence}, signed by {bundle.keyid}{until}",
        remedy="Sign a new release before it ends; then everything is denied." if soon else "",
    )
