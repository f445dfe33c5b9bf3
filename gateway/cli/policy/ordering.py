"""`querywarden policy activate · rollback · stop · lift`: orders to a gateway that runs, through its data folder."""

import datetime as dt
import sys
import time
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from cyclopts import Parameter

from gateway.cli import UNREACHABLE
from gateway.cli.audit.words import printable
from gateway.cli.person import whoami
from gateway.cli.policy.history import activations
from gateway.cli.policy.options import AsJson
from gateway.cli.policy.reporting import SAYS_NO, SAYS_YES, show
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.core.ids import new_id
from gateway.policy.archive import MAX_ARCHIVE_BYTES
from gateway.policy.memory import Memory
from gateway.policy.orders import Activate, Answer, Command, Halt, Lift, Order, Rollback, Tray
from gateway.policy.store import FOLDER

WAIT_SECONDS: Final = 90.0
"""an OPA may take a minute to load a bundle"""
LOOK_SECONDS: Final = 0.05

Config: TypeAlias = Annotated[Path, Parameter(name=["--config", "-c"], help="The gateway's configuration.")]
To: TypeAlias = Annotated[str, Parameter(help="The first digits of its sha256, as `policy log` shows it.")]
Reason: TypeAlias = Annotated[str, Parameter(help="Why: it is recorded, with who you are and when.")]


def activate(
    bundle: Annotated[Path, Parameter(help="The archive.")], *, config: Config, reason: Reason, as_json: AsJson = False
) -> int:
    """Bring a signed bundle into force now: verified, tried by its vectors, recorded. Exits 1 when it is refused."""
    with bundle.open("rb") as file:
        raw = file.read(MAX_ARCHIVE_BYTES + 1)
    return _give(config, Activate(), reason, bundle=raw, as_json=as_json)


def rollback(to: To = "", *, config: Config, reason: Reason, as_json: AsJson = False) -> int:
    """Go back to a bundle that was active before, though it is older. The one before is the default.

    What is rolled back from does not come back by itself: a newer one does, or `policy activate`.
    """
    digest = _archived(load(config).data_dir, to)
    return _give(config, Rollback(to=digest), reason, as_json=as_json)


def stop(  # noqa: PLR0913 -- whom it may name
    *,
    config: Config,
    reason: Reason,
    subject: Annotated[str, Parameter(help="An agent, or the person agents act for.")] = "",
    group: Annotated[str, Parameter(help="Everybody in a group.")] = "",
    connection: Annotated[str, Parameter(help="Everybody on a connection.")] = "",
    everything: Annotated[bool, Parameter(negative="", help="Everybody, everywhere.")] = False,
    as_json: AsJson = False,
) -> int:
    """Deny at once, whatever the bundle says, until the stop is lifted. Holds through restarts; prints its id."""
    named = {"subject": subject, "group": group, "connection": connection, "everything": "all" if everything else ""}
    given = [kind for kind, name in named.items() if name]
    if len(given) != 1:
        raise ConfigError("config.invalid", "give one of --subject, --group, --connection and --everything")
    halt = Halt(kind=given[0], name="" if everything else named[given[0]])  # type: ignore[arg-type]  # one of its kinds
    return _give(config, halt, reason, as_json=as_json)


def lift(
    stop_id: Annotated[str, Parameter(name="STOP", help="Its id.")],
    *,
    config: Config,
    reason: Reason,
    as_json: AsJson = False,
) -> int:
    """Let a stop go. `policy stops` lists those that stand."""
    return _give(config, Lift(stop=stop_id), reason, as_json=as_json)


def stops(*, config: Config, as_json: AsJson = False) -> int:
    """The emergency stops that stand."""
    standing = Memory.open(load(config).data_dir).now.stops
    if as_json:
        show(
            {"stops": [{name: getattr(each, name) for name in each.__struct_fields__} for each in standing]},
            as_json=True,
        )
        return SAYS_YES
    for each in standing:
        line = f"{each.id}  {each.kind} {each.name}  since {each.at}, by {each.by}: {each.reason}"
        sys.stdout.write(printable(line) + "\n")
    sys.stdout.write(f"{len(standing)} stop{'' if len(standing) == 1 else 's'}\n")
    return SAYS_YES


def _give(config: Path, command: Command, reason: str, *, bundle: bytes | None = None, as_json: bool) -> int:
    """Lay an order down and wait for what becomes of it."""
    if not reason.strip():
        raise ConfigError("config.invalid", "--reason: say why, it is recorded")
    tray, clock = Tray(load(config).data_dir), SystemClock()
    now = dt.datetime.fromtimestamp(clock.now_ns() // 10**9, tz=dt.UTC)
    order = Order(id=new_id(clock), by=whoami(), reason=reason, at=f"{now:%Y-%m-%dT%H:%M:%SZ}", command=command)
    tray.place(order, bundle)
    answer = _answered(tray, order.id)
    if answer is None:
        show(
            {"order": order.id, "state": "waits: no gateway runs here; it holds from the next start on"},
            as_json=as_json,
        )
        return UNREACHABLE
    show({"order": order.id, "done": answer.ok, "code": answer.code, "says": answer.text}, as_json=as_json)
    return SAYS_YES if answer.ok else SAYS_NO


def _answered(tray: Tray, order_id: str) -> Answer | None:
    """What became of an order; None when nobody is there to take it, or it takes too long."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if (answer := tray.answer(order_id)) is not None:
            return answer
        if not tray.attended():
            return tray.answer(order_id)
        time.sleep(LOOK_SECONDS)
    return None


def _archived(data_dir: Path, digits: str) -> str:
    """The sha256 of a bundle that was active before: named by its first digits, or the one before the active one."""
    if not digits:
        past = activations(data_dir)
        active = Memory.open(data_dir).now.active
        before = next((each.previous for each in past if each.sha256 == active and each.previous), "")
        if not before:
            raise ConfigError("config.invalid", "the log knows no bundle before the active one: name one")
        return before
    kept = sorted(path.name.removesuffix(".tar.gz") for path in (data_dir / FOLDER).glob("*.tar.gz"))
    found = [name for name in kept if name.startswith(digits.removeprefix("sha256:"))]
    if len(found) != 1:
        raise ConfigError("config.invalid", f"{len(found)} bundles that were active here begin with {digits}")
    return found[0]
