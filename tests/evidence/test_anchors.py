"""Time-stamps lie beside the log in pairs, each named by time, size and authority."""

from pathlib import Path

from gateway.evidence.anchors import anchors_of, authority_id, keep_anchor, last_anchored

URL, OTHER = "http://tsa.example/tsr", "http://other.example"
DAY_NS = 86_400 * 10**9
AT = 1_795_602_169_000_000_000


def test_what_is_kept_is_found_again_the_oldest_first(tmp_path: Path) -> None:
    names = [keep_anchor(tmp_path, URL, AT + day * DAY_NS, 7, (b"c%d" % day, b"t%d" % day)) for day in (1, 0)]
    assert names[1] == f"20261125T102249Z-7-{authority_id(URL)}"
    assert [tuple(each) for each in anchors_of(tmp_path)] == [(names[1], b"c0", b"t0"), (names[0], b"c1", b"t1")]


def test_each_authority_has_a_last_time_of_its_own(tmp_path: Path) -> None:
    assert last_anchored(tmp_path, URL) == 0
    keep_anchor(tmp_path, URL, AT, 7, (b"c", b"t"))
    keep_anchor(tmp_path, URL, AT - DAY_NS, 7, (b"c", b"t"))
    assert (last_anchored(tmp_path, URL), last_anchored(tmp_path, OTHER)) == (AT, 0)


def test_half_a_pair_is_no_time_stamp_or_one_over_nothing(tmp_path: Path) -> None:
    name = keep_anchor(tmp_path, URL, AT, 7, (b"c", b"t"))
    (tmp_path / f"anchors/{name}.checkpoint").unlink()
    (tmp_path / "anchors/x.checkpoint").write_bytes(b"c")
    (tmp_path / "anchors/odd name.tsr").write_bytes(b"t")
    assert [(each.name, each.checkpoint) for each in anchors_of(tmp_path)] == [(name, b""), ("odd name", b"")]
    assert last_anchored(tmp_path, URL) == AT
