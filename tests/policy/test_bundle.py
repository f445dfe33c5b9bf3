"""A bundle is opened whole, signed, valid and understood, or not at all."""

import gzip
import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.codes import CODES
from gateway.core.errors import BundleRejected
from gateway.policy.archive import read_archive, write_archive
from gateway.policy.build import read_bundle_files, reference_base, signed, with_site
from gateway.policy.bundle import DATA, DEMO_FINGERPRINT, DEMO_KEYID, SITE_DATA, WASM, Bundle, load_key, open_bundle
from gateway.policy.digests import MANIFEST, SIGNATURES, canonical, policy_digest
from gateway.policy.keys import signing_key
from gateway.policy.manifest import write_manifest
from gateway.policy.site import Site
from tests.policy.small import RULE, SITE, manifest, sealed, small_files
from tests.support.bundle import bundle_key, everything_but_clear, write_signed_bundle

NOW = 1_800_000_000
DEMO = Path(__file__).resolve().parents[2] / "bundles" / "demo"
SEALED = sealed(small_files(), sequence=3, not_before=10)


def opened(raw: bytes, now_s: int = NOW) -> Bundle:
    return open_bundle(raw, [bundle_key().public], now_s)


def refusal(raw: bytes, now_s: int = NOW) -> str:
    with pytest.raises(BundleRejected) as caught:
        opened(raw, now_s)
    assert caught.value.code in CODES
    return caught.value.code


def test_a_good_bundle_says_everything_it_holds() -> None:
    bundle = opened(SEALED)
    files = small_files()
    assert bundle.sha256 == hashlib.sha256(SEALED).hexdigest()
    assert bundle.policy_digest == policy_digest(files)
    assert (bundle.revision, bundle.entrypoint, bundle.reads) == (
        "small-1",
        "gateway/main/decision",
        ("action.name", "context.purpose"),
    )
    assert (bundle.keyid, bundle.sequence, bundle.not_before, bundle.expires_at) == ("tests", 3, 10, None)
    assert (bundle.wasm, bundle.site, bundle.rules, bundle.demo) == (files[WASM], SITE, {"pci.x": RULE}, False)
    assert json.loads(bundle.data) == {**json.loads(files[DATA]), "site": json.loads(files[SITE_DATA])}


@given(at=st.integers(0, len(SEALED) - 1), flip=st.integers(1, 255))
def test_any_changed_byte_is_refused(at: int, flip: int) -> None:
    raw = bytearray(SEALED)
    raw[at] ^= flip
    refusal(bytes(raw))


@given(at=st.integers(0, len(SEALED)), more=st.binary(min_size=1, max_size=600))
def test_any_inserted_bytes_are_refused(at: int, more: bytes) -> None:
    refusal(SEALED[:at] + more + SEALED[at:])


@given(cut=st.integers(0, len(SEALED) - 1))
def test_any_cut_is_refused(cut: int) -> None:
    refusal(SEALED[:cut])


@pytest.mark.parametrize("name", sorted(small_files()))
def test_any_file_removed_is_refused(name: str) -> None:
    files = read_archive(SEALED)
    del files[name]
    assert refusal(write_archive(files)) == "bundle.tampered"


@pytest.mark.parametrize("name", sorted(small_files()))
def test_any_file_swapped_with_another_is_refused(name: str) -> None:
    files = read_archive(SEALED)
    other = "gateway/main/main.rego" if name != "gateway/main/main.rego" else WASM
    files[name], files[other] = files[other], files[name]
    assert refusal(write_archive(files)) in {"bundle.tampered", "bundle.data"}


@pytest.mark.parametrize("name", ["gateway/main/more.rego", "gateway/lib/data.json", "patch.json", "a/.manifest"])
def test_any_file_added_is_refused(name: str) -> None:
    assert refusal(write_archive({**read_archive(SEALED), name: b"{}"})) in {"bundle.tampered", "bundle.malformed"}


def test_the_same_files_in_another_order_or_another_gzip_are_refused() -> None:
    tar = gzip.decompress(SEALED)
    assert refusal(gzip.compress(tar)) == "bundle.malformed"
    first = 512 + 512 * -(-int(tar[124:135], 8) // 512)
    second = first + 512 + 512 * -(-int(tar[first + 124 : first + 135], 8) // 512)
    swapped = tar[first:second] + tar[:first] + tar[second:]
    assert read_archive(gzip.compress(swapped)) == read_archive(SEALED)
    assert refusal(gzip.compress(swapped)) == "bundle.malformed"


def test_a_bundle_without_a_signature_is_refused() -> None:
    assert refusal(write_archive(small_files())) == "bundle.unsigned"


def test_the_signature_of_another_bundle_is_refused() -> None:
    other = read_archive(sealed({**small_files(), "gateway/main/main.rego": b"package gateway.main\n\n"}))
    assert refusal(write_archive({**read_archive(SEALED), SIGNATURES: other[SIGNATURES]})) == "bundle.tampered"


def test_a_bundle_holds_from_not_before_until_it_expires() -> None:
    raw = sealed(small_files(), not_before=100, expires_at=200)
    assert refusal(raw, 99) == "bundle.not_yet_valid"
    assert opened(raw, 100).expires_at == 200
    assert opened(raw, 199).not_before == 100
    assert refusal(raw, 200) == "bundle.expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({WASM: b"\0asm2"}, "bundle.wasm"),
        ({SITE_DATA: None}, "bundle.data"),
        ({SITE_DATA: b"{}\n"}, "bundle.data"),
        ({SITE_DATA: b'{"grant":[]}'}, "bundle.data"),
        ({SITE_DATA: b'{"masks":{"cvv":"last4"}}'}, "bundle.data"),
        ({SITE_DATA: b'{"limits":[{"rows":1.5}]}'}, "bundle.data"),
        ({DATA: b"[]"}, "bundle.data"),
        ({DATA: b'{"gateway":{},"site":{}}'}, "bundle.data"),
        ({DATA: None}, "bundle.malformed"),
        ({WASM: None}, "bundle.malformed"),
        ({MANIFEST: None}, "bundle.malformed"),
        ({MANIFEST: b"{}"}, "bundle.manifest"),
        ({MANIFEST: write_manifest(manifest(b"\0asm", RULE, RULE))}, "bundle.manifest"),
        ({MANIFEST: write_manifest(msgspec.structs.replace(manifest(), roots=("gateway",)))}, "bundle.manifest"),
        ({"other/x.rego": b"package other\n"}, "bundle.malformed"),
        ({"gateway/plan.json": b"{}"}, "bundle.malformed"),
        ({"gateway/lib/data.json": b"{}"}, "bundle.malformed"),
    ],
)
def test_a_signed_bundle_that_is_not_one_of_ours_is_refused(changes: dict[str, bytes | None], code: str) -> None:
    changed = {**small_files(), **changes}
    files = {name: content for name, content in changed.items() if content is not None}
    try:
        raw = sealed(files)
    except BundleRejected as error:  # some of it cannot even be signed here
        raw = b""
        found = error.code
    else:
        found = refusal(raw)
    assert found == code


def test_a_manifest_with_a_wasm_key_is_refused_because_stock_opa_would_refuse_it() -> None:
    loaded = json.loads(small_files()[MANIFEST])
    assert refusal(sealed({**small_files(), MANIFEST: canonical({**loaded, "wasm": []})})) == "bundle.manifest"


def test_the_demo_bundle_opens_and_is_known_as_the_demo() -> None:
    key = load_key(DEMO / "policy.pub")
    assert (key.keyid, key.fingerprint) == (DEMO_KEYID, DEMO_FINGERPRINT)
    bundle = open_bundle((DEMO / "bundle.tar.gz").read_bytes(), [key], NOW)
    assert bundle.demo
    assert bundle.expires_at is None


def test_the_demo_key_is_known_under_any_name_and_its_name_with_any_key() -> None:
    demo = signing_key((DEMO / "not-secret-demo-signing-key.pem").read_bytes(), keyid="production")
    assert open_bundle(sealed(small_files(), demo), [demo.public], NOW).demo
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other = signing_key(pem, keyid=DEMO_KEYID)
    assert open_bundle(sealed(small_files(), other), [other.public], NOW).demo


def test_the_bundle_that_tests_make_is_a_real_one(tmp_path: Path) -> None:
    write_signed_bundle(tmp_path, everything_but_clear("payments"))
    bundle = open_bundle((tmp_path / "bundle.tar.gz").read_bytes(), [load_key(tmp_path / "policy.pub")], NOW)
    assert not bundle.demo
    assert "pci.cardholder.masked" in bundle.rules
    assert bundle.site.classification["payments"]["public.cards"]["pan"] == ("pan",)


@pytest.mark.parametrize(
    ("site", "more"),
    [
        ({}, set()),
        ({"hours": [{"groups": ["agents"], "to": 1080}]}, {"context.time"}),
        ({"application_identities": [{"subjects": ["svc-*"]}]}, {"context.session.application"}),
        (
            {
                "interactive_exceptions": [
                    {"subjects": ["svc-a"], "until": "2026-12-01T00:00:00Z", "ticket": "CHG-1", "approved_by": "ciso"}
                ]
            },
            {"context.time"},
        ),
    ],
)
def test_a_bundle_reads_the_time_and_the_program_only_where_its_site_data_needs_them(
    site: dict[str, object], more: set[str]
) -> None:
    key = bundle_key()
    base = read_bundle_files(reference_base())
    bundle = open_bundle(signed(with_site(base, msgspec.convert(site, Site)), key), [key.public], NOW)
    assert set(bundle.reads) & {"context.time", "context.session.application"} == more
    assert {"action.name", "context.reason"} <= set(bundle.reads)
