"""Results of other commands that lie in a package: the scan, the reconciliation, what is kept how long."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.cli.audit.exporting.inventory import configured_keys
from gateway.cli.audit.exporting.matrix import Fact
from gateway.cli.audit.exporting.operation import KeyEntry
from gateway.config.load import load
from gateway.config.witnesses import witness_keys
from gateway.core.errors import ConfigError
from gateway.evidence.dsse import DsseError, unsealed
from gateway.evidence.package.building import Taken
from gateway.evidence.package.contents import as_json
from gateway.evidence.package.zipped import Content, same
from gateway.evidence.reconcile import Verdict
from gateway.evidence.retention import DAY_NS, retention_report

SCAN, RECONCILE, RETENTION = "scan/result.dsse.json", "reconcile/result.json", "report/retention.json"
WITNESSES: Final = "log/witnesses.pub"
HOT_DAYS, TOTAL_DAYS = 92, 400
TWELVE_MONTHS: Final = 365 * DAY_NS


class Extras(NamedTuple):
    """Files, and what they say."""

    parts: Mapping[str, Content]
    facts: Mapping[str, Fact]
    keys: tuple[KeyEntry, ...] = ()
    """that the configuration names"""


def gather(taken: Taken, config: Path | None, scan: bytes | None, reconcile: Path | None) -> Extras:
    """What was given, and the retention report. ConfigError for a file that is no result; OSError, ValueError."""
    parts: dict[str, Content] = {}
    facts: dict[str, Fact] = {}
    if scan is not None:
        parts[SCAN] = partial(same, scan)
        facts["scan"] = _scanned(scan)
    if reconcile is not None:
        raw = reconcile.read_bytes()
        parts[RECONCILE] = partial(same, raw)
        facts["reconcile"] = _reconciled(_document(raw, reconcile.name))
    if witnesses := witness_keys(load(config).evidence) if config else ():
        listed = "".join(f"{key.encode()}\n" for key in witnesses)
        parts[WITNESSES] = partial(same, listed.encode())
    hot, total = _kept_for(config)
    report = retention_report(taken.data_dir, now_ns=taken.newest.last_ns(), hot_ns=hot, total_ns=total)
    parts[RETENTION] = partial(as_json, report)
    oldest = [epoch.oldest_ns for epoch in report.epochs if epoch.oldest_ns is not None]
    days = (report.at_ns - min(oldest)) // DAY_NS if oldest else 0
    text = (
        f"the oldest leaf here is {days:,} days old; kept {total // DAY_NS:,} days, {hot // DAY_NS:,} of them at hand"
    )
    if not report.complete:
        text += "; something is missing that no recorded pruning explains"
    facts["retention"] = Fact(text, RETENTION, holds=report.complete and total >= TWELVE_MONTHS)
    return Extras(parts, facts, tuple(configured_keys(load(config))) if config else ())


def _kept_for(config: Path | None) -> tuple[int, int]:
    """Nanoseconds that evidence is at hand, and kept."""
    if config is None:
        return HOT_DAYS * DAY_NS, TOTAL_DAYS * DAY_NS
    retention = load(config).evidence.retention
    return round(retention.hot * 1e9), round(retention.total * 1e9)


def _document(raw: bytes, name: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(raw, type=dict[str, object])
    except msgspec.DecodeError:
        raise ConfigError("config.invalid", f"{name}: not the JSON result of a command") from None


def _scanned(envelope: bytes) -> Fact:
    try:
        told = _document(unsealed(envelope), "the scan's result")
    except DsseError:
        raise ConfigError("config.invalid", "the scan's result is no signed one: `audit scan -o` writes it") from None
    clean = told.get("ok") is True
    text = (
        "a scan of everything stored found no card number" if clean else "a scan found card numbers in what is stored"
    )
    return Fact(text, SCAN, holds=clean)


def _reconciled(told: Mapping[str, object]) -> Fact:
    clean = told.get("verdict") == Verdict.COMPLETE.value
    text = "the database's own log has no statement that went round the gateway"
    return Fact(text if clean else "statements went round the gateway, or could not be matched", RECONCILE, holds=clean)
