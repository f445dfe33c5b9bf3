"""`querywarden policy try`: what would be decided about a statement, and why. Nothing is executed."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from gateway import app
from gateway.cli.policy.moments import moment
from gateway.cli.policy.showing import in_words
from gateway.config.issuers import build_verifier
from gateway.config.load import load
from gateway.config.settings import Settings
from gateway.core.clock import Clock, SystemClock
from gateway.core.errors import ConfigError
from gateway.core.events import Event
from gateway.core.ids import new_id
from gateway.core.principal import Delegator, Principal
from gateway.frontends.driver import Driver
from gateway.frontends.keeper import Keeper
from gateway.policy.decider import Active, Decider
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.keyring import Keyring
from gateway.session.journey import travel
from gateway.session.ruling import Leg, Ruling
from gateway.session.task import Phase
from gateway.session.traveller import Traveller
from gateway.sql.model import Scope
from gateway.sql.understand import understand

PASSES, DENIED = 0, 1


class PrincipalFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who asks, written down: what a verified token would have said."""

    subject: str
    issuer: str = ""
    groups: tuple[str, ...] = ()
    claims: dict[str, object] = {}
    on_behalf_of: Delegator | None = None


@dataclass(frozen=True, kw_only=True)
class Said:
    """What an agent says of its statement, beside the SQL: options of the command."""

    purpose: Annotated[str, Parameter(help="As `SET querywarden.purpose` would give it.")] = ""
    ticket: Annotated[str, Parameter(help="As `SET querywarden.ticket` would give it.")] = ""
    reason: Annotated[str, Parameter(help="As `SET querywarden.reason` would give it.")] = ""
    application: Annotated[str, Parameter(help="What the client calls itself.")] = ""
    at: Annotated[str, Parameter(help="The moment, e.g. 2026-12-31T23:59:00Z; now if not given.")] = ""

    def given(self) -> dict[str, str]:
        """Name to text, of those that say something."""
        words = {"purpose": self.purpose, "ticket": self.ticket, "reason": self.reason}
        return {name: text for name, text in words.items() if text}

    def clock(self, clock: Clock) -> Clock:
        """The clock that rules see. Raises ConfigError."""
        seconds = moment(self.at, "--at")
        return clock if seconds is None else _Standing(clock, seconds * 1_000_000_000)


class _Standing:
    """A clock that stands at one moment, for `--at`; durations go on."""

    def __init__(self, clock: Clock, now_ns: int) -> None:
        self._clock, self._now_ns = clock, now_ns

    def now_ns(self) -> int:
        """The moment."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Of the clock below."""
        return self._clock.monotonic_ns()


NOTHING = Said()


class _NoLog:
    """Takes every record and keeps none: nothing happens that would have to be recorded."""

    async def append(self, event: Event) -> None:
        """Drop it."""

    def mac(self, exact: bytes) -> str:
        """No key, no mac."""
        del exact
        return ""


def try_(  # noqa: PLR0913 -- each is an option
    sql: str,
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"])],
    who: Annotated[Path, Parameter(name="--as")],
    connection: str,
    bundle: Path | None = None,
    said: Annotated[Said, Parameter(name="*")] = NOTHING,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Decide about SQL without running it: facts, input, decision, rules, rewritten text. Exits 1 for a denial.

    Parameters
    ----------
    sql
        The text, as an agent would send it.
    config
        The gateway's configuration: its database is asked for its catalog, and for nothing else.
    who
        A file with a token, or a JSON file with subject, groups, issuer, on_behalf_of.
    connection
        The connection's name.
    bundle
        Another bundle than the configured one, signed with one of the configured keys.
    said
        What a rule may ask for.
    as_json
        Print everything as JSON.

    """
    settings, clock = load(config), SystemClock()
    if connection not in settings.connections:
        raise ConfigError("config.invalid", f"{config}: there is no connection {connection}")
    asked = judge(settings, clock, sql, who=who, connection=connection, bundle=bundle, said=said)
    rulings = asyncio.run(asked)
    if as_json:
        sys.stdout.write(json.dumps([document(ruling) for ruling in rulings], indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(in_words(ruling) for ruling in rulings) or "no statement\n")
    return DENIED if any(ruling.refusal for ruling in rulings) else PASSES


async def judge(  # noqa: PLR0913 -- what a ruling hangs on
    settings: Settings,
    clock: Clock,
    sql: str,
    *,
    who: Path,
    connection: str,
    bundle: Path | None,
    said: Said,
) -> Sequence[Ruling]:
    """The rulings on a text: the journey every statement takes, up to where it would be forwarded."""
    asked_at = said.clock(clock)
    decider = decider_of(settings, clock, bundle)
    keeper = app.make_keepers(settings, decider)[connection]
    try:
        ground = await keeper.ground()
        principal = await principal_of(await asyncio.to_thread(who.read_text, "utf-8"), settings, clock)
        scope = Scope(search_path=keeper.target.search_path, posture=ground.posture)
        legs = [Leg(each, new_id(clock), sql.encode()) for each in understand(sql, ground.catalog, scope)]
        traveller = _traveller(keeper, principal, asked_at, said)
        driver = Driver(decider, _NoLog(), asked_at)
        return await driver.perform(travel(legs, Phase.QUERY, traveller, ground), traveller)
    finally:
        await keeper.aclose()


def decider_of(settings: Settings, clock: Clock, bundle: Path | None) -> Decider:
    """A decision point on the configured bundle, or another one. The demo's is taken: nothing is executed."""
    if bundle is None and settings.policy.bundle.is_url:
        raise ConfigError("config.invalid", "the configured bundle is on a server: give one with --bundle")
    keyring = Keyring(settings.policy.verification_keys, settings.policy.revoked_keys)
    raw = (bundle or settings.policy.bundle.path).read_bytes()
    opened = keyring.open(raw, clock.now_ns() // 1_000_000_000)
    decider = Decider(clock)
    decider.activate(Active(opened, EmbeddedEngine(opened.wasm, opened.data)))
    return decider


async def principal_of(text: str, settings: Settings, clock: Clock) -> Principal:
    """Of a token, verified as at login; or as a JSON document says."""
    text = text.strip()
    if not text.startswith("{"):
        return await build_verifier(settings.identity, clock).verify(text)
    try:
        said = msgspec.json.decode(text, type=PrincipalFile)
    except msgspec.DecodeError as error:
        raise ConfigError("config.invalid", f"--as: {error}") from None
    return Principal(
        subject=said.subject,
        issuer=said.issuer or settings.identity.issuers[0].issuer,
        groups=said.groups,
        claims=said.claims,
        on_behalf_of=said.on_behalf_of,
        expires_at=0,
    )


def _traveller(keeper: Keeper, principal: Principal, clock: Clock, said: Said) -> Traveller:
    return Traveller(
        sid=new_id(clock),
        principal=principal,
        connection=keeper.name,
        engine="postgres",
        version=keeper.parameters.get("server_version", ""),
        database=keeper.target.database,
        labels=keeper.labels,
        channel="postgres",
        client_ip="127.0.0.1",
        tls=True,
        started_ns=clock.now_ns(),
        application=said.application,
        said=said.given(),
    )


def document(ruling: Ruling) -> dict[str, object]:
    """Everything about a ruling, as JSON."""
    verdict = ruling.verdict
    return {
        "outcome": ruling.outcome.value,
        "statement": msgspec.to_builtins(ruling.understood.statement),
        "refusal": msgspec.to_builtins(ruling.refusal) if ruling.refusal else None,
        "findings": msgspec.to_builtins(verdict.findings),
        "input_sha256": verdict.input_sha256 or None,
        "input": msgspec.json.decode(verdict.input) if verdict.input else None,
        "decision": msgspec.json.decode(verdict.output) if verdict.output else None,
        "rewritten": ruling.plan.text if ruling.plan else None,
        "bundle_sha256": verdict.bundle_sha256,
        "revision": verdict.revision,
        "engine": verdict.engine,
    }
