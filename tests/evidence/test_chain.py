"""Two proofs in a row; how they hold and fail is in test_root_log."""

import pytest

from gateway.evidence.chain import Chain, check_chain
from gateway.evidence.note import Signer
from gateway.evidence.proof import ProofError


@pytest.mark.parametrize("data", [b"", b"c2sp.org/tlog-proof@v1\n", b"\xff\n\n"])
def test_what_is_no_proof_proves_nothing(data: bytes) -> None:
    with pytest.raises(ProofError):
        check_chain(Chain(data, data), Signer("root.test/1", bytes(32)).verifier)
