"""What lies on the shelf goes by its hash; waiting for another one ends when there is one, or when the time is over."""

import asyncio
import hashlib

from gateway.frontends.http.shelf import Shelf

ONE = hashlib.sha256(b"one").hexdigest()


async def test_an_empty_shelf_has_nothing_for_anybody() -> None:
    assert await Shelf().other_than("", 0) is None


async def test_what_lies_there_is_given_to_whoever_has_another_one() -> None:
    shelf = Shelf()
    shelf.put(b"one")
    found = await shelf.other_than("", 0)
    assert found is not None
    assert (found.raw, found.sha256) == (b"one", ONE)
    assert await shelf.other_than(ONE, 0) is None


async def test_everybody_who_waits_gets_the_next_one() -> None:
    shelf = Shelf()
    shelf.put(b"one")
    waiting = [asyncio.ensure_future(shelf.other_than(ONE, 30)) for _ in range(3)]
    await asyncio.sleep(0)
    shelf.put(b"two")
    assert {found.raw for found in await asyncio.gather(*waiting) if found} == {b"two"}
