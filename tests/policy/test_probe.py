"""The question every new bundle is asked is one that any bundle can answer."""

from gateway.policy.document import Scribe, check
from gateway.policy.probe import PROBE
from gateway.policy.schema import OPTIONAL


def test_the_probe_is_a_document_whatever_the_bundle_reads() -> None:
    for reads in ((), OPTIONAL):
        found = check(Scribe(reads, "f" * 64, "r").write(PROBE))
        assert found.subject.id == "querywarden-probe"
        assert found.subject.groups == ()
