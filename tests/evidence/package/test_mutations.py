"""Whatever is done to a package is found, and called by its name. `PACKAGE_MUTATIONS=1000` does it a thousand times."""

import os
from random import Random

import pytest

from tests.evidence.package.mutations import CHANGES, Base
from tests.evidence.package.world import verified_bytes, wrong

ROUNDS = int(os.environ.get("PACKAGE_MUTATIONS", "150"))


def test_the_package_that_is_changed_holds(base: Base) -> None:
    found = verified_bytes(base.raw, base.signer.verifier.encode())
    assert (found.code, wrong(found)) == (0, [])


@pytest.mark.parametrize("number", range(-(-ROUNDS // len(CHANGES))))
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_package_is_found_out_by_name(base: Base, name: str, number: int) -> None:
    changed, names = CHANGES[name](base, Random(f"{name}/{number}"))  # noqa: S311 -- to be repeated
    found = verified_bytes(changed, base.signer.verifier.encode())
    if changed != base.raw:
        assert found.code in {1, 2}
        assert names & set(wrong(found))
