"""A part of the page survives the others, and is replaced by its like."""

from bench.sections import with_part, with_parts


def test_a_part_is_put_in_replaced_and_kept() -> None:
    page = "# Performance\n\ntext\n"
    one = with_part(page, "audit", "## Audit\n\nold")
    both = with_part(one, "other", "## Other")
    newer = with_part(both, "audit", "## Audit\n\nnew \\1")
    assert newer.count("## Audit") == newer.count("## Other") == 1
    assert "old" not in newer
    assert "new \\1" in newer
    fresh = with_parts("# Performance\n\nafresh\n", newer)
    assert fresh.startswith("# Performance\n\nafresh\n\n<!-- part audit -->\n## Audit\n\nnew \\1\n")
    assert with_parts(page, page) == page
    assert with_parts(fresh, fresh).count("## Audit") == 2
