"""The settings' defaults are safe ones, and what is shown of them holds no secret."""

import typing
from pathlib import Path

import msgspec
import pytest

from gateway.config import settings as s
from gateway.config.load import hook_for
from gateway.config.quantities import Address, Duration
from gateway.config.secret import Secret
from gateway.identity.keys import ALGORITHMS
from tests.config.world import GOOD, changed, read


def sections() -> list[type[msgspec.Struct]]:
    """Every mapping of the file."""
    found = [value for value in vars(s).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)]
    return [each for each in found if each.__name__ != "_Section"]


def test_unknown_keys_are_refused_and_values_never_change_in_every_section() -> None:
    for section in sections():
        assert section.__struct_config__.forbid_unknown_fields, section
        assert section.__struct_config__.frozen, section


def test_defaults_are_the_safe_ones(folder: Path) -> None:
    found = read(folder, GOOD).settings
    assert found is not None
    payments = found.connections["payments"]
    assert payments.search_path == ("public",)
    assert payments.port == 5432
    assert found.policy.engine == "embedded"
    assert found.evidence.durability == "group"
    assert not found.evidence.recording.is_full
    assert found.identity.skew == Duration(30)
    assert found.identity.issuers[0].algorithms == ("RS256", "ES256", "EdDSA")
    assert (payments.limits.idle_timeout, payments.limits.session_max) == (Duration(900), Duration(28800))
    assert payments.limits.pool_max == 200
    assert s.UpstreamTls().mode == "verify-full"
    assert not s.Listener(address=Address("127.0.0.1:1")).insecure_loopback


def test_what_is_shown_of_settings_holds_no_reference_to_a_secret(folder: Path) -> None:
    found = read(folder, GOOD.replace("{env: PAYMENTS_PASSWORD}", "{command: [sh, -c, echo hunter2]}")).settings
    assert found is not None
    assert "hunter2" not in repr(found)
    assert isinstance(found.connections["payments"].password, Secret)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_listeners_are_a_list_whichever_way_they_are_written(count: int) -> None:
    one = s.Listener(address=Address("127.0.0.1:1"))
    written: dict[int, s.Listener | tuple[s.Listener, ...] | None] = {0: None, 1: one, 2: (one, one)}
    assert s.Listeners(postgres=written[count]).for_postgres == (one,) * count


def test_the_algorithms_are_those_the_verifier_knows() -> None:
    assert set(typing.get_args(s.Algorithm)) == set(ALGORITHMS)


@pytest.mark.parametrize("name", ["payments", "a", "A.b-c_9", "x" * 63])
def test_a_connection_may_be_called(folder: Path, name: str) -> None:
    text = GOOD.replace("  payments:", f"  {name}:")
    assert read(folder, text).findings == ()


@pytest.mark.parametrize("name", ["", "-x", ".x", "x" * 64, "a b", "a/b", "p\u0430yments", "a;b"])
def test_a_connection_may_not_be_called(folder: Path, name: str) -> None:
    text = GOOD.replace("  payments:", f'  "{name}":')
    assert len(read(folder, text).findings) == 1


def test_settings_written_as_plain_values_are_read_again(folder: Path) -> None:
    found = read(folder, changed("data_dir", str(folder / "var"))).settings
    assert found is not None

    def plain(value: object) -> object:
        return str(value)

    document = msgspec.to_builtins(found.identity.issuers[0], enc_hook=plain)
    again = msgspec.convert(document, s.Issuer, dec_hook=hook_for(folder))
    assert again == found.identity.issuers[0]
