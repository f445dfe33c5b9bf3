"""A refusal in its right place. At rest we answer ourselves; otherwise the server is given something it rejects.

Then order, skipping to Sync and the state of the transaction are the server's own: a refused statement leaves exactly
what a failed one leaves.
"""

from gateway.frontends.postgres.conversation import Conversation
from gateway.session.exchange import Entry, Wait
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres.fields import message, text
from gateway.wire.postgres.server_messages import ready_for_query

REJECTED = "querywarden refused"
"""No grammar has this as a statement."""
_BROKEN = message(b"E", text(REJECTED), bytes(5))
"""An Execute one byte too long: rejected before its portal is looked up, so whatever portal a client may have made"""


def refuse(conversation: Conversation, wait: Wait, error: bytes, name: str = "") -> None:
    """Answer the message that would have waited as `wait` with our ErrorResponse.

    `name` is that of a refused Parse: a failed one takes the unnamed statement with it, and leaves others alone.
    """
    conversation.denied += 1
    if conversation.at_rest or conversation.link is None:
        conversation.client.write(error)
        if wait is Wait.QUERY:
            conversation.client.write(ready_for_query(b"I"))
        else:
            conversation.skipping = True
        return
    match wait:
        case Wait.QUERY:
            instead = wire.query(REJECTED)
        case Wait.PARSE:
            instead = wire.parse_message(name, REJECTED)
        case Wait.BIND | Wait.DESCRIBE | Wait.EXECUTE | Wait.CLOSE | Wait.SYNC | Wait.PROBE:
            instead = _BROKEN
    conversation.send(Entry(wait, refusal=error), instead)
    conversation.skipping = conversation.skipping or wait is not Wait.QUERY
