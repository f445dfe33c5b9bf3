"""The manifest names every file and no time but the log's; its signature is the log's."""

import hashlib
import json

from gateway.evidence.dsse import unseal
from gateway.evidence.package.verifier.archive import ENVELOPE, MANIFEST
from gateway.evidence.package.verifier.signed import PAYLOAD_TYPE
from tests.evidence.package.mutations import Base


def test_it_names_every_file_by_size_and_hash(base: Base) -> None:
    told = json.loads(base.files[MANIFEST])
    assert told["files"] == {
        name: [len(base.files[name]), hashlib.sha256(base.files[name]).hexdigest()] for name in base.names
    }
    assert told["made_by"] == "tests"


def test_it_is_signed_by_the_logs_key(base: Base) -> None:
    opened = unseal(base.files[ENVELOPE], PAYLOAD_TYPE, [base.signer.verifier])
    assert opened.payload == base.files[MANIFEST]


def test_its_spans_are_those_of_the_log(base: Base) -> None:
    (log,) = json.loads(base.files[MANIFEST])["log"]
    assert (log["blocks"], log["leaves"][0]) == ([0, 3], 0)
    assert log["leaves"][1] < log["size"]
