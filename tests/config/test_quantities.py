"""Durations, sizes, addresses and stores: what people write, and nothing else."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import quantities as q

FOLDER = Path("/etc/querywarden")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("250ms", 0.25), ("15m", 900), ("1h30m", 5400), ("92d", 92 * 86400), ("10us", 1e-5), ("0s", 0)],
)
def test_a_duration_is_a_number_of_seconds(text: str, seconds: float) -> None:
    assert q.Duration.parse(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "15", "m", "-1s", "1.5h", "1 h", "1w", "1H", "1h ", "\u0661s", "1s\n", "9999999999s", "1h-30m"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        q.Duration.parse(text)


@given(
    parts=st.lists(
        st.tuples(st.integers(0, 999_999_999), st.sampled_from(["us", "ms", "s", "m", "h", "d"])), min_size=1
    )
)
def test_a_duration_is_the_sum_of_its_parts(parts: list[tuple[int, str]]) -> None:
    whole = q.Duration.parse("".join(f"{count}{unit}" for count, unit in parts))
    assert whole == pytest.approx(sum(q.Duration.parse(f"{count}{unit}") for count, unit in parts))
    assert whole.ns == pytest.approx(whole * 1e9, abs=1)


@pytest.mark.parametrize(
    ("text", "count"), [("16MiB", 16 << 20), ("500kB", 500_000), ("4096", 4096), ("1 GB", 10**9), ("0B", 0)]
)
def test_a_size_is_a_number_of_bytes(text: str, count: int) -> None:
    assert q.Size.parse(text) == count


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5MiB", "16mib", "16 MiB ", "1  MB", "16M", "0x10", "\u0661MiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        q.Size.parse(text)


@given(count=st.integers(0, 10**12 - 1), unit=st.sampled_from(["", "B", "KiB", "MiB", "GiB", "kB", "MB", "GB"]))
def test_binary_units_count_by_1024_and_the_others_by_1000(count: int, unit: str) -> None:
    base = 1024 if "i" in unit else 1000
    power = " kMG".find(unit[:1].replace("K", "k")) if len(unit) > 1 else 0
    assert q.Size.parse(f"{count}{unit}") == count * base**power


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:6432", "127.0.0.1", 6432, True),
        ("127.8.8.8:1", "127.8.8.8", 1, True),
        ("[::1]:0", "::1", 0, True),
        ("localhost:65535", "localhost", 65535, True),
        ("0.0.0.0:6432", "0.0.0.0", 6432, False),  # noqa: S104 -- nothing listens
        ("[::]:6432", "::", 6432, False),
        ("[fe80::1%eth0]:6432", "fe80::1%eth0", 6432, False),
        ("gateway.example:6432", "gateway.example", 6432, False),
        ("localhost.example:6432", "localhost.example", 6432, False),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, host: str, port: int, *, loopback: bool) -> None:
    address = q.Address.parse(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, loopback)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6432",
        ":6432",
        "h:",
        "h:65536",
        "h:-1",
        "::1:6432",
        "[zz]:1",
        "[:::]:1",
        "[1.2.3.4]:1",
        "[::1]",
        "h:1:2",
        "h 1:1",
        "http://h:1",
        "h:1\n",
        "h:١",
        "usеr:1",
        "[::1%]:1",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        q.Address.parse(text)


@given(host=st.ip_addresses(), port=st.integers(0, 65535))
def test_every_ip_address_can_be_listened_on(host: object, port: int) -> None:
    text = f"[{host}]" if ":" in str(host) else str(host)
    address = q.Address.parse(f"{text}:{port}")
    assert (address.host, address.port) == (str(host), port)


@given(text=st.text(max_size=30))
def test_loopback_is_only_what_is_surely_this_machine(text: str) -> None:
    if q.is_loopback(text):
        assert text == "localhost" or text.startswith("127.") or re.fullmatch(r"[0:.]*1(%.*)?", text)


@pytest.mark.parametrize(
    ("text", "scheme", "path"),
    [
        ("sqlite:///var/state.db", "sqlite", FOLDER / "var/state.db"),
        ("sqlite:////srv/state.db", "sqlite", Path("/srv/state.db")),
        ("file:///var/objects", "file", FOLDER / "var/objects"),
    ],
)
def test_a_local_store_is_taken_from_the_folder_of_the_file(text: str, scheme: str, path: Path) -> None:
    store = q.StoreUrl.parse(text, FOLDER)
    assert (store.scheme, store.path) == (scheme, path)
    assert q.StoreUrl.parse(store, Path("/elsewhere")) == store  # now absolute


@pytest.mark.parametrize("text", ["postgresql://db/state", "s3://bucket/prefix"])
def test_a_store_elsewhere_stays_as_it_is(text: str) -> None:
    assert q.StoreUrl.parse(text, FOLDER) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "var/state.db",
        "sqlite:var",
        "sqlite://var/state.db",
        "sqlite:///",
        "file:///a?b=c",
        "file:///a#b",
        "s3://",
        "http://x/y",
        "SQLITE:///x",
        "file:///a\nb",
        "mysql://x",
    ],
)
def test_what_is_no_store_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a store"):
        q.StoreUrl.parse(text, FOLDER)


def test_a_location_is_a_path_or_an_https_address() -> None:
    assert q.Location.parse("bundles/pci.tar.gz", FOLDER).path == FOLDER / "bundles/pci.tar.gz"
    assert q.Location.parse("/srv/b", FOLDER).path == Path("/srv/b")
    assert not q.Location.parse("b", FOLDER).is_url
    assert q.Location.parse("https://bundles.example/pci", FOLDER).is_url
    assert q.Location.parse("http://bundles.example/pci", FOLDER).is_url


@pytest.mark.parametrize("text", ["file:///x", "HTTPS://x", "ftp://x"])
def test_an_address_that_proves_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="https"):
        q.Location.parse(text, FOLDER)


def test_the_folder_of_a_user_who_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="no such user"):
        q.expanded("~nobody-of-this-name/x")
    assert q.expanded("~/x") == Path.home() / "x"
