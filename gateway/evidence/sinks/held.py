"""What retention must leave for sinks: everything from the first leaf on that some receiver has not taken."""

from collections.abc import Iterable
from pathlib import Path

from gateway.evidence.leaf import decode_leaf
from gateway.evidence.sinks.cursor import furthest_behind
from gateway.evidence.sinks.follow import Follower


def unsent_since(data_dir: Path, names: Iterable[str]) -> int | None:
    """Time (ns) of the first leaf that some sink of these has not sent; None when all have everything.

    Raises OSError, ValueError (LeafError is one) when the log cannot be read: then nothing may go.
    """
    place = furthest_behind(data_dir, names)
    if place is None:
        return None
    follower = Follower(data_dir)
    follower.look()
    run = follower.read(place, 1, 1)
    return int(decode_leaf(run.leaves[0]).t) if run is not None and run.leaves else None
