"""Keys that the configuration names: public parts only, and one that cannot be read is named by its file."""

from pathlib import Path

import pytest
import trustme

from gateway.cli.audit.exporting.inventory import UNREADABLE, configured_keys
from gateway.config.load import load
from gateway.config.settings import Settings
from tests.config.world import changed, furnish
from tests.support.recorded import make_keys

DEMO_KEY = Path(__file__).parents[4] / "bundles/demo/policy.pub"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    furnish(tmp_path)
    keys = make_keys(tmp_path)
    path = tmp_path / "gateway.yaml"
    path.write_text(changed("evidence.recording", {"recipients": [keys.public.name]}), encoding="utf-8")
    found = load(path)
    found.policy.verification_keys[0].write_bytes(DEMO_KEY.read_bytes())
    listener = found.listeners.for_postgres[0]
    assert listener.tls is not None
    listener.tls.cert.write_bytes(trustme.CA().issue_cert("db.test").cert_chain_pems[0].bytes())
    return found


def test_each_key_has_its_use_and_a_certificate_its_time(settings: Settings) -> None:
    found = {key.use: key for key in configured_keys(settings)}
    assert found["signatures of policy bundles are believed by it"].name.startswith("querywarden-demo ")
    assert len(found["recordings are encrypted to it"].name) > 16
    (certificate,) = [key for use, key in found.items() if use.startswith("TLS certificate of")]
    assert certificate.since < certificate.until


def test_what_cannot_be_read_is_named_and_nothing_private_is_told(settings: Settings) -> None:
    listener = settings.listeners.for_postgres[0]
    assert listener.tls is not None
    for path in (settings.policy.verification_keys[0], settings.evidence.recording.recipients[0], listener.tls.cert):
        path.write_text("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", encoding="utf-8")
    names = [key.name for key in configured_keys(settings)]
    assert sum(UNREADABLE in name for name in names) >= 3
    assert not any("c2VjcmV0" in name for name in names)
