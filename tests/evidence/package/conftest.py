"""A package that is never changed, and what somebody who changes it may have."""

import io

import pytest

from gateway.evidence.keys import load_keys
from gateway.evidence.note import Signer
from gateway.evidence.package.verifier.archive import ENVELOPE, Archive
from tests.evidence.package.mutations import Base, files_of
from tests.evidence.package.world import packed, write_log
from tests.evidence.world import TickClock


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("package")
    data, clock = folder / "var", TickClock()
    write_log(data, clock=clock)
    old = (data / "log/1/checkpoint").read_bytes()
    page = b"<!doctype html><p>12 decisions, 3 denied</p>"
    other = folder / "other.zip"
    packed(data, other, clock=clock)
    output = folder / "evidence.zip"
    packed(data, output, clock=clock, more={"report/pci_matrix.html": lambda: page})
    raw = output.read_bytes()
    return Base(
        raw=raw,
        files=files_of(Archive(io.BytesIO(raw))),
        signer=load_keys(data / "keys", 1).signer,
        stranger=Signer("log.test/forged/1", b"\7" * 32),
        old_note=old,
        other=Archive(io.BytesIO(other.read_bytes())).read(ENVELOPE),
    )
