"""The schema as a transaction sees it that has changed it: read over the session's own connection, for it alone.

Only there is it to be seen before the transaction ends. It is read when nothing is owed, so every byte that comes is an
answer to us; behind a savepoint, so that neither a failure nor our settings stay. What was read holds until anything
could have changed it: more DDL, a transaction command, an error, another reading of the shared snapshot, five seconds.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from gateway.core.errors import Unavailable
from gateway.frontends.postgres.asked import Asked, Inside
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.session.ground import Ground
from gateway.session.registry import Space
from gateway.session.ruling import BLIND, Leg
from gateway.sql.catalog import build_catalog
from gateway.sql.queries import QUERIES
from gateway.upstream.query import Row
from gateway.wire.postgres import client_messages

HOLDS_SECONDS: Final = 5.0
"""as long as the shared snapshot may be behind"""
READ_SECONDS: Final = 30.0
READINGS_MAX: Final = 50
"""in one transaction: more are refused, because each takes the gateway a tenth of a second"""
ISOLATION: Final = "read committed"
"""in the others the catalog is read as of the transaction's beginning, and names are looked up as of now"""
_ALONE: Final = {"search_path": "pg_catalog, pg_temp", "statement_timeout": "0", "quote_all_identifiers": "off"}
_BEGIN: Final = (
    "SAVEPOINT querywarden",
    "SELECT " + ", ".join(f"pg_catalog.set_config('{name}', '{value}', true)" for name, value in _ALONE.items()),
    "SELECT pg_catalog.current_setting('transaction_isolation')",
)
_NAMES: Final = tuple(name for name in QUERIES if name != "pin")
ASK: Final = "; ".join((*_BEGIN, *(QUERIES[name] for name in _NAMES)))
UNDO: Final = "ROLLBACK TO SAVEPOINT querywarden; RELEASE SAVEPOINT querywarden"


def is_needed(ground: Ground, legs: Iterable[Leg]) -> bool:
    """Whether statements can be judged only on what the transaction has made of the schema."""
    return ground.void and any(leg.understood.statement.category not in BLIND for leg in legs)


def known(conversation: Conversation, ground: Ground) -> Ground | None:
    """What was read and still holds."""
    inside = conversation.inside
    if inside is None or conversation.status != b"T" or inside.changes != conversation.schema_changes:
        return None
    if inside.readings != conversation.keeper.readings or inside.until < asyncio.get_running_loop().time():
        return None
    return replace(ground, catalog=inside.catalog, void=False)


async def look_inside(conversation: Conversation, ground: Ground) -> Ground | None:
    """The ground inside the transaction; None when it cannot be had now. Raises EndSession when the server is lost."""
    if not _may_look(conversation):
        return None
    await conversation.stopped()
    if not _may_look(conversation):
        return None
    changes, readings = conversation.schema_changes, conversation.keeper.readings
    conversation.looks += 1
    rows = await _ask(conversation)
    if rows is None:
        return None
    before = conversation.inside.catalog if conversation.inside is not None else ground.catalog
    catalog = await asyncio.to_thread(build_catalog, rows, ground.posture, before)
    until = asyncio.get_running_loop().time() + HOLDS_SECONDS
    conversation.inside = Inside(catalog, changes, readings, until)
    return known(conversation, ground)


def _may_look(conversation: Conversation) -> bool:
    exchange = conversation.exchange
    return (
        conversation.link is not None
        and conversation.status == b"T"
        and exchange.idle
        and not (exchange.held or exchange.skipping or exchange.copying_in or conversation.skipping)
        and conversation.looks < READINGS_MAX
        and not conversation.ended.done()
    )


async def _ask(conversation: Conversation) -> dict[str, list[Row]] | None:
    """Every row of the catalog. None when the server would not, or the transaction sees it as of its beginning."""
    link = conversation.link
    if link is None:
        return None
    asked = conversation.asking = Asked()
    conversation.deciding = True  # a cancel request waits for the client's own statement
    conversation.ended.add_done_callback(asked.give_up)
    try:
        link.write(client_messages.query(ASK) + client_messages.query(UNDO))
        conversation.registry.forget(Space.STATEMENT, "")  # a simple Query ends both (§54.2.3)
        conversation.registry.forget(Space.PORTAL, "")
        async with asyncio.timeout(READ_SECONDS):
            await asked.done
        if conversation.ended.done():
            raise conversation.ended.result()
        if asked.status != b"T":
            raise EndSession.because(Unavailable("upstream.lost", "reading the catalog"))
    except TimeoutError:
        raise EndSession.because(Unavailable("upstream.timeout", "reading the catalog")) from None
    finally:
        conversation.asking, conversation.deciding = None, False
    found = asked.results[len(_BEGIN) - 1 :]
    if asked.refused or len(found) < 1 + len(_NAMES) or found[0] != [(ISOLATION,)]:
        return None
    return {"pin": [], **dict(zip(_NAMES, found[1:], strict=False))}
