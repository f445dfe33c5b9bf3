"""The doctor asks OPA what the gateway would ask, and tells apart one that is away from one with another bundle."""

from gateway.cli.doctor.opa import look
from gateway.cli.doctor.result import Status
from gateway.config.quantities import Duration, Location
from gateway.config.settings import Opa, Policy
from tests.policy.fake_opa import opa, result, saying
from tests.policy.world import ALLOW, bundle

BUNDLE = bundle()


def policy(url: str) -> Policy:
    return Policy(
        bundle=Location("b"), verification_keys=(), engine="opa", opa=Opa(url=url, timeout=Duration(5.0)),
    )  # fmt: skip


async def test_an_opa_with_the_bundle_is_fine_and_named() -> None:
    async with opa(saying(result(BUNDLE, ALLOW))) as server:
        (found,) = await look(policy(server.server.url), BUNDLE)
    assert (found.status, found.text) == (Status.FINE, f"opa/1.22.2 has {'a' * 12} r1")


async def test_an_opa_with_another_bundle_is_not_as_it_should_be() -> None:
    async with opa(saying(result(BUNDLE, ALLOW, revisions=["r2"]))) as server:
        (found,) = await look(policy(server.server.url), BUNDLE)
    assert found.status is Status.NO
    assert found.remedy


async def test_an_opa_that_is_away_is_unreachable() -> None:
    (found,) = await look(policy("unix:///nowhere/opa.sock"), BUNDLE)
    assert found.status is Status.UNREACHABLE


async def test_where_there_is_none_none_is_asked() -> None:
    assert await look(Policy(bundle=Location("b"), verification_keys=()), BUNDLE) == ()
    assert await look(policy("unix:///nowhere/opa.sock"), None) == ()
