"""OPA is told to verify every bundle itself, by the gateway's keys and no others."""

from gateway.policy.opa_config import opa_configuration
from tests.support.bundle import bundle_key


def test_only_the_given_keys_are_believed_and_an_unsigned_bundle_is_not() -> None:
    key = bundle_key().public
    made = opa_configuration("https://gateway.example:6480/", "pci", [key], "/run/token")
    assert isinstance(made, dict)
    assert list(made["keys"]) == [key.keyid]
    assert made["keys"][key.keyid]["algorithm"] == key.algorithm
    assert made["keys"][key.keyid]["key"].startswith("-----BEGIN PUBLIC KEY-----")
    assert made["bundles"]["pci"]["signing"] == {"scope": ""}
    assert made["bundles"]["pci"]["resource"] == "bundles/pci.tar.gz"
    assert made["services"]["gateway"]["url"] == "https://gateway.example:6480/v1"
    assert made["services"]["gateway"]["credentials"] == {"bearer": {"token_path": "/run/token"}}


def test_without_a_token_none_is_sent() -> None:
    made = opa_configuration("https://gateway.example", "pci", [bundle_key().public])
    assert isinstance(made, dict)
    assert "credentials" not in made["services"]["gateway"]
