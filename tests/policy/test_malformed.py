"""Every bundle that must not decide is refused with its own code; the old one stays, and the log says so."""

import gzip
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.events import Event, EventType
from gateway.core.verdict import Outcome
from gateway.policy import source
from gateway.policy.activation import Activator, Means
from gateway.policy.archive import read_archive, write_archive
from gateway.policy.bundle import WASM
from gateway.policy.decider import Decider
from gateway.policy.digests import MANIFEST, canonical
from gateway.policy.keyring import Keyring
from gateway.policy.keys import SigningKey, public_pem, signing_key
from gateway.policy.manifest import write_manifest
from gateway.policy.memory import Memory
from gateway.policy.source import FileSource
from gateway.policy.store import BundleStore
from tests.policy.modules import module
from tests.policy.small import manifest, sealed, small_files
from tests.policy.world import ALLOW, FixedClock, request
from tests.support.bundle import bundle_key

NOW = FixedClock().now // 1_000_000_000
VECTORS = "vectors/small.json"


def contents(wasm: bytes = b"", **vector: object) -> dict[str, bytes]:
    """The files of a small bundle that allows everything, and says so in its vector."""
    code = wasm or module(answer=json.dumps([{"result": ALLOW}]).encode())
    one = {"name": "one", "input": {}, "decision": ALLOW, **vector}
    files = {**small_files(), WASM: code, MANIFEST: write_manifest(manifest(code))}
    return {**files, VECTORS: canonical({"about": "one", "vectors": [one]})}


def another_key(keyid: str) -> SigningKey:
    made = ec.generate_private_key(ec.SECP256R1())
    return signing_key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), keyid=keyid)


OLD = another_key("old")


def good(sequence: int = 5, **claims: int) -> bytes:
    return sealed(contents(), None, sequence=sequence, **claims)


def with_member(**fields: object) -> bytes:
    """The good archive with one more member, as no honest tool writes it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in [*read_archive(good(sequence=6)).items(), ("gateway/x.rego", b"package gateway.x\n")]:
            member = tarfile.TarInfo(f"/{name}")
            member.size = len(content)
            if name == "gateway/x.rego":
                for field, value in fields.items():
                    setattr(member, field, value)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(out.getvalue())


def tampered() -> bytes:
    files = read_archive(good(sequence=6))
    return write_archive({**files, "gateway/main/main.rego": b"package gateway.main\n# allow\n"})


def without(name: str) -> Mapping[str, bytes]:
    return {each: content for each, content in contents().items() if each != name}


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "no archive": (lambda: b"nothing", "bundle.malformed"),
    "truncated": (lambda: good(sequence=6)[:-100], "bundle.malformed"),
    "something behind it": (lambda: good(sequence=6) + b"x", "bundle.malformed"),
    "a link": (lambda: with_member(type=tarfile.SYMTYPE, linkname="/etc/passwd", size=0), "bundle.malformed"),
    "a hard link": (lambda: with_member(type=tarfile.LNKTYPE, linkname="data.json", size=0), "bundle.malformed"),
    "a device": (lambda: with_member(type=tarfile.CHRTYPE, size=0), "bundle.malformed"),
    "a way out": (lambda: with_member(name="../../etc/cron.d/x"), "bundle.malformed"),
    "a name twice": (lambda: with_member(name="/gateway/main/main.rego"), "bundle.malformed"),
    "written otherwise": (lambda: gzip.compress(gzip.decompress(good(sequence=6))), "bundle.malformed"),
    "a file too many": (lambda: sealed({**contents(), "README.md": b"x"}), "bundle.malformed"),
    "over the size": (lambda: bytes(source.BUNDLE_MAX + 1), "bundle.too_large"),
    "a bomb": (lambda: gzip.compress(bytes(65 << 20)), "bundle.too_large"),
    "unsigned": (lambda: write_archive(contents()), "bundle.unsigned"),
    "changed": (tampered, "bundle.tampered"),
    "a key nobody knows": (lambda: sealed(contents(), another_key("stranger")), "bundle.unknown_key"),
    "a key under another's name": (lambda: sealed(contents(), another_key("tests")), "bundle.signature"),
    "a revoked key": (lambda: sealed(contents(), OLD), "bundle.revoked_key"),
    "expired": (lambda: good(sequence=6, expires_at=NOW), "bundle.expired"),
    "not yet valid": (lambda: good(sequence=6, not_before=NOW + 1), "bundle.not_yet_valid"),
    "an older release": (lambda: good(sequence=4), "bundle.sequence"),
    "a policy that is not the named one": (lambda: sealed({**contents(), WASM: b"\0asm"}), "bundle.wasm"),
    "a manifest of another kind": (lambda: sealed({**contents(), MANIFEST: b"{}"}), "bundle.manifest"),
    "data that is none": (lambda: sealed({**contents(), "data.json": b"[]"}), "bundle.data"),
    "vectors missing": (lambda: sealed(without(VECTORS)), "bundle.vectors"),
    "a vector that fails": (
        lambda: sealed(contents(decision={**ALLOW, "outcome": "deny"}), sequence=6), "bundle.vectors_failed",
    ),
    "a built-in of its host": (
        lambda: sealed(contents(module(builtins=b'{"http.send":0}')), sequence=6), "bundle.capability",
    ),
    "an import of its host": (
        lambda: sealed(contents(module(imports='(import "wasi" "fd_write" (func))')), sequence=6), "bundle.capability",
    ),
    "a rule that never ends": (lambda: sealed(contents(module("never ends")), sequence=6), "bundle.runaway"),
    "a rule that traps": (lambda: sealed(contents(module("traps")), sequence=6), "bundle.not_run"),
}  # fmt: skip


class Gate:
    """A gateway's activation, with real keys and a real engine, and nothing else of it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.events, clock = folder / "bundle.tar.gz", list[Event](), FixedClock()
        paths = [folder / "tests.pub", folder / "old.pub"]
        for path, key in zip(paths, (bundle_key(), OLD), strict=True):
            path.write_bytes(public_pem(key.public))
        self.decider, self.memory = Decider(clock), Memory.open(folder)
        self.store = BundleStore(folder)
        means = Means(
            keyring=Keyring(paths, [OLD.public.fingerprint]),
            store=self.store, memory=self.memory, clock=clock, note=self.note,
        )  # fmt: skip
        self.activator = Activator(FileSource(self.path), self.decider, means)

    async def note(self, event: Event) -> None:
        self.events.append(event)


@pytest.mark.parametrize("name", BAD)
async def test_a_bad_bundle_is_refused_with_its_own_code_and_the_old_one_decides(tmp_path: Path, name: str) -> None:
    made, code = BAD[name]
    gate = Gate(tmp_path)
    gate.path.write_bytes(good())
    assert await gate.activator.load("start")
    before, active = gate.memory.now, gate.decider.active
    raw = made()
    gate.path.write_bytes(raw)
    assert not await gate.activator.load("the file changed")
    assert [event.type for event in gate.events] == [EventType.BUNDLE_ACTIVATED, EventType.BUNDLE_REJECTED]
    assert (gate.events[1].ok, gate.events[1].data["code"]) == (False, code)
    assert gate.decider.active is active
    assert gate.memory.now == before
    verdict = await gate.decider.decide(request())
    assert verdict.decision.outcome is Outcome.ALLOW
    assert verdict.bundle_sha256 == gate.activator.active_sha256


ALONE = [name for name, (_, code) in BAD.items() if code != "bundle.sequence"]
"""bad also when there is no other one"""


@pytest.mark.parametrize("name", ALONE)
async def test_a_bad_bundle_is_no_better_when_there_is_no_other(tmp_path: Path, name: str) -> None:
    made, code = BAD[name]
    gate = Gate(tmp_path)
    gate.path.write_bytes(made())
    assert not await gate.activator.start()
    assert gate.decider.active is None
    assert (await gate.decider.decide(request())).findings[0].code == "policy.unavailable"
    assert gate.events[0].data["code"] == code
