"""The archive: one way to write it, and nothing but plain regular files when it is read."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import BundleRejected
from gateway.policy import archive
from gateway.policy.archive import is_canonical, read_archive, write_archive

FILES = {
    ".manifest": b"{}",
    "gateway/main/main.rego": b"package gateway.main\n",
    "data.json": b"",
    "policy.wasm": b"\0a",
}
part = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
names = st.lists(part, min_size=1, max_size=4).map("/".join)
contents = st.dictionaries(names, st.binary(max_size=2000), max_size=6)


def tar_of(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    """A gzipped tar as anybody could make it."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return gzip.compress(plain.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def rejected(raw: bytes) -> str:
    with pytest.raises(BundleRejected) as caught:
        read_archive(raw)
    return caught.value.code


@given(files=contents)
def test_what_is_written_is_read_and_written_again_to_the_same_bytes(files: dict[str, bytes]) -> None:
    raw = write_archive(files)
    assert read_archive(raw) == files
    assert write_archive(dict(reversed(files.items()))) == raw
    assert is_canonical(raw, files)


def test_other_programs_read_what_is_written() -> None:
    with tarfile.open(fileobj=io.BytesIO(write_archive(FILES)), mode="r:gz") as tar:
        found = {info.name: tar.extractfile(info) for info in tar.getmembers()}
        assert list(found) == [f"/{name}" for name in sorted(FILES)]
        assert {name: file.read() for name, file in found.items() if file} == {f"/{n}": c for n, c in FILES.items()}
        assert {(info.mtime, info.uid, info.gid, info.mode) for info in tar.getmembers()} == {(0, 0, 0, 0o600)}


def test_a_content_of_more_than_one_block_of_gzip_is_written_whole() -> None:
    files = {"policy.wasm": bytes(range(256)) * 1000}
    assert gzip.decompress(write_archive(files))[512 : 512 + 256_000] == files["policy.wasm"]
    assert read_archive(write_archive(files)) == files


def test_an_archive_of_another_program_is_read_but_is_not_canonical() -> None:
    raw = tar_of(member("/gateway/main/main.rego"), content=b"package gateway.main\n")
    files = read_archive(raw)
    assert files == {"gateway/main/main.rego": b"package gateway.main\n"}
    assert not is_canonical(raw, files)


@given(at=st.integers(min_value=0), bit=st.integers(min_value=0, max_value=7))
def test_no_bit_can_change_without_the_archive_being_refused_or_other_than_written(at: int, bit: int) -> None:
    raw = bytearray(write_archive(FILES))
    raw[at % len(raw)] ^= 1 << bit
    try:
        files = read_archive(bytes(raw))
    except BundleRejected:
        return
    assert files != FILES or not is_canonical(bytes(raw), files)


@pytest.mark.parametrize(
    "info",
    [
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "data.json"),
        member("folder", tarfile.DIRTYPE),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("../outside"),
        member("gateway/../../outside"),
        member("//two"),
        member("./here"),
        member("white space"),
        member("gateway/.hidden"),
        member("n" * 60 + "/" + "m" * 60),
    ],
    ids=lambda info: info.name[:20],
)
def test_only_regular_files_under_plain_names_are_read(info: tarfile.TarInfo) -> None:
    assert rejected(tar_of(info)) == "bundle.malformed"


def test_a_file_that_stands_in_it_twice_is_refused_even_with_and_without_a_slash() -> None:
    assert rejected(tar_of(member("data.json"), member("/data.json"))) == "bundle.malformed"


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\0",
        lambda raw: raw + raw,
        lambda raw: raw[: len(raw) // 2],
        lambda _: b"",
        lambda _: b"not gzip",
        lambda raw: zlib.compress(gzip.decompress(raw)),
        lambda raw: gzip.compress(gzip.decompress(raw)[:-1024]),
        lambda raw: gzip.compress(gzip.decompress(raw)[:700]),
        lambda raw: gzip.compress(gzip.decompress(raw) + b"more"),
    ],
)
def test_what_is_cut_short_or_has_something_behind_it_is_refused(damage: Callable[[bytes], bytes]) -> None:
    assert rejected(damage(write_archive(FILES))) == "bundle.malformed"


def test_a_small_archive_of_an_enormous_content_is_refused_without_being_inflated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "MAX_CONTENT_BYTES", 4096)
    assert rejected(gzip.compress(bytes(1 << 22))) == "bundle.too_large"


def test_an_archive_that_is_too_large_or_has_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = write_archive(FILES)
    monkeypatch.setattr(archive, "MAX_FILES", 3)
    assert rejected(raw) == "bundle.too_large"
    monkeypatch.setattr(archive, "MAX_ARCHIVE_BYTES", len(raw) - 1)
    assert rejected(raw) == "bundle.too_large"


@pytest.mark.parametrize("name", ["/data.json", "a/../b", "", "a b", "x" * 100])
def test_a_name_that_could_not_be_read_is_not_written(name: str) -> None:
    with pytest.raises(BundleRejected):
        write_archive({name: b""})
