"""`querywarden doctor`: probe the live parts a configuration names, as the gateway would use them."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gateway import app
from gateway.cli.doctor import bundle, database, governed, issuers, machine, opa, sinks, witnesses
from gateway.cli.doctor.result import Result, Status, in_words
from gateway.config.load import examine
from gateway.config.settings import Settings
from gateway.core.clock import Clock, SystemClock
from gateway.core.errors import ConfigError
from gateway.frontends.keeper import Keeper
from gateway.policy.decider import Decider

FINE, SAYS_NO, UNREACHABLE = 0, 1, 3


def doctor(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"])],
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Probe databases and their roles, issuers' keys, the bundle, OPA, sinks, certificates, clock, disk and witnesses.

    Nothing is changed and no data is read. Exits 1 when something is not as it should be, 2 when the configuration
    cannot be used, 3 when something is not reachable.

    Parameters
    ----------
    config
        The configuration file.
    as_json
        Print the results as JSON.

    """
    examined = examine(config)
    if examined.settings is None:
        if as_json:
            sys.stdout.write(json.dumps({"ok": False, "findings": examined.findings, "results": []}, indent=2) + "\n")
        raise ConfigError("config.invalid", "\n".join(examined.findings))
    notes = [Result(probe="configuration", about="", status=Status.NOTE, text=text) for text in examined.warnings]
    results = notes + asyncio.run(look(examined.settings, SystemClock()))
    code = exit_code(results)
    if as_json:
        document = {"ok": code == FINE, "results": msgspec.to_builtins(results)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write(in_words(results))
    return code


async def look(settings: Settings, clock: Clock) -> list[Result]:
    """Every probe, those that wait for others at once."""
    about_bundle, active = await bundle.look(settings.policy, clock)
    decider = Decider(clock)
    if active is not None:
        decider.activate(active)
    keepers = app.make_keepers(settings, decider)
    try:
        found = await asyncio.gather(
            *(
                _connection(keeper, clock, settings.identity.skew, known=active is not None)
                for keeper in keepers.values()
            )
        )
        keys = await asyncio.gather(*(issuers.look(issuer) for issuer in settings.identity.issuers))
    finally:
        await asyncio.gather(*(keeper.aclose() for keeper in keepers.values()))
    receivers = await asyncio.gather(*(sinks.look(sink, clock, settings.data_dir) for sink in settings.evidence.sinks))
    disk = await asyncio.to_thread(machine.disk, settings.data_dir, clock)
    return [
        *(result for results in found for result in results),
        *keys,
        *receivers,
        about_bundle,
        *await opa.look(settings.policy, active.bundle if active else None),
        *machine.certificates(settings, clock),
        disk,
        *await witnesses.look(settings, clock),
    ]


async def _connection(keeper: Keeper, clock: Clock, skew: float, *, known: bool) -> list[Result]:
    """The database, and, when a bundle is there to say what is governed, what hangs on it."""
    found = await database.look(keeper.target, clock, skew)
    if known and all(result.probe != database.PROBE or result.status is Status.FINE for result in found):
        found += await governed.look(keeper)
    return found


def exit_code(results: Sequence[Result]) -> int:
    """What is wrong outweighs what could not be looked at."""
    statuses = {result.status for result in results}
    if Status.NO in statuses:
        return SAYS_NO
    return UNREACHABLE if Status.UNREACHABLE in statuses else FINE
