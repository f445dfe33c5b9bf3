"""A refusal in its right place. At rest we answer ourselves; otherwise the server is given something it rejects.

Then order, skipping to Sync and the state of the transaction are the server's own: a refused statement leaves exactly
what a failed one leaves.
"""

from gateway.frontends.postgres.conversation import Conversation
from gateway.session.exchange import Entry, Wait
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres.server_messages import ready_for_query

REJECTED = "querywarden refused"
"""No grammar has this as a statement, and no portal is called so."""


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
            message = wire.query(REJECTED)
        case Wait.PARSE:
            message = wire.parse_message(name, REJECTED)
        case Wait.BIND | Wait.DESCRIBE | Wait.EXECUTE | Wait.CLOSE | Wait.SYNC:
            message = wire.execute(REJECTED)
    conversation.send(Entry(wait, refusal=error), message)
    conversation.skipping = conversation.skipping or wait is not Wait.QUERY
