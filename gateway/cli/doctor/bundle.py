"""The configured bundle: whether the gateway would believe it, and whether it answers."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec

from gateway.cli.doctor.result import Result, Status, of_error
from gateway.cli.policy.moments import written
from gateway.config.settings import Policy
from gateway.core.clock import Clock
from gateway.core.errors import BundleRejected, GatewayError
from gateway.policy.activation import BUNDLE_MAX
from gateway.policy.bundle import load_key, open_bundle
from gateway.policy.decider import Active
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.probe import PROBE as QUESTION

PROBE: Final = "bundle"
SOON: Final = 14 * 86400
"""seconds before its end at which a bundle is worth a note"""
_NS: Final = 1_000_000_000


async def look(policy: Policy, clock: Clock) -> tuple[Result, Active | None]:
    """Verify it, load it and ask it something, as `serve` does; the bundle when it may decide."""
    path = policy.bundle.path
    try:
        active = await asyncio.to_thread(_opened, path, policy, clock.now_ns() // _NS)
        await active.decide(QUESTION, clock)
    except GatewayError as error:
        return of_error(PROBE, str(path), error), None
    except msgspec.ValidationError:
        return of_error(PROBE, str(path), BundleRejected("bundle.malformed", "it cannot be asked")), None
    return _fine(path, active, clock.now_ns() // _NS), active


def _opened(path: Path, policy: Policy, now_s: int) -> Active:
    """Raises BundleRejected, ConfigError and EngineError."""
    try:
        with path.open("rb") as file:
            raw = file.read(BUNDLE_MAX + 1)
    except OSError as error:
        raise BundleRejected("bundle.missing", error.strerror or "") from None
    if len(raw) > BUNDLE_MAX:
        raise BundleRejected("bundle.too_large")
    bundle = open_bundle(raw, [load_key(key) for key in policy.verification_keys], now_s)
    if bundle.demo:
        raise BundleRejected("bundle.demo")
    return Active(bundle, EmbeddedEngine(bundle.wasm, bundle.data))


def _fine(path: Path, active: Active, now_s: int) -> Result:
    bundle = active.bundle
    until = f", until {written(bundle.expires_at)}" if bundle.expires_at is not None else ""
    soon = bundle.expires_at is not None and bundle.expires_at - now_s < SOON
    return Result(
        probe=PROBE,
        about=str(path),
        status=Status.NOTE if soon else Status.FINE,
        text=f"{bundle.sha256[:12]} {bundle.revision}, release {bundle.sequence}, signed by {bundle.keyid}{until}",
        remedy="Sign a new release before it ends; then everything is denied." if soon else "",
    )
