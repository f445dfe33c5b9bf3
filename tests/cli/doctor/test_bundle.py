"""A bundle is fine when `serve` would believe it, and answers."""

from pathlib import Path

import pytest

from gateway.cli.doctor.bundle import look
from gateway.cli.doctor.result import Status
from gateway.config.quantities import Location
from gateway.config.settings import Policy
from gateway.core.clock import Clock, SystemClock
from gateway.policy.build import signed, with_site
from gateway.policy.read_site import read_site
from tests.support.bundle import bundle_key, everything_but_clear, reference_files, write_signed_bundle

DEMO = Path(__file__).parents[3] / "bundles" / "demo"
DAY = 86400


def policy(folder: Path) -> Policy:
    return Policy(bundle=Location(folder / "bundle.tar.gz"), verification_keys=(folder / "policy.pub",))


async def test_a_signed_bundle_is_named_and_may_decide(tmp_path: Path) -> None:
    write_signed_bundle(tmp_path, everything_but_clear("payments"))
    result, active = await look(policy(tmp_path), SystemClock())
    assert result.status is Status.FINE
    assert "signed by tests" in result.text
    assert active is not None
    assert active.bundle.sha256.startswith(result.text.split()[0])


@pytest.mark.parametrize("damage", ["missing", "cut", "other key"])
async def test_a_bundle_the_gateway_would_not_take_is_a_no(tmp_path: Path, damage: str) -> None:
    write_signed_bundle(tmp_path, everything_but_clear("payments"))
    path = tmp_path / "bundle.tar.gz"
    match damage:
        case "missing":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:-10])
        case _:
            (tmp_path / "policy.pub").write_bytes((DEMO / "policy.pub").read_bytes())
    result, active = await look(policy(tmp_path), SystemClock())
    assert result.status is Status.NO
    assert active is None
    assert result.remedy


async def test_the_demos_bundle_is_a_no_as_serve_refuses_it() -> None:
    result, active = await look(policy(DEMO), SystemClock())
    assert (result.status, active) == (Status.NO, None)


@pytest.mark.parametrize(("days", "status"), [(400, Status.FINE), (3, Status.NOTE), (0, Status.NO)])
async def test_a_bundle_that_ends_soon_is_worth_a_note(tmp_path: Path, days: int, status: Status) -> None:
    clock: Clock = SystemClock()
    now = clock.now_ns() // 1_000_000_000
    write_signed_bundle(tmp_path, everything_but_clear("payments"))
    files = with_site(reference_files(), read_site(tmp_path / "site"))
    archive = signed(files, bundle_key(), expires_at=now + days * DAY)
    (tmp_path / "bundle.tar.gz").write_bytes(archive)
    result, _ = await look(policy(tmp_path), clock)
    assert result.status is status
