"""A text cut into its statements, each without its values: what a past text is compared by."""

from gateway.core.errors import Refused
from gateway.sql import grammar
from gateway.sql.tokens import redact


def canonical(text: str) -> tuple[str, ...]:
    """The redacted text of every statement, in order; one entry for the whole when it cannot be cut into statements."""
    if ";" not in text:  # one statement or none: its tokens are enough
        shape = redact(text)
        return (shape,) if shape else ()
    raw = text.encode(errors="replace")
    try:
        found = grammar.read(text)
    except (Refused, RecursionError):
        return (redact(text),)
    spans = [(each.stmt_location, each.stmt_location + each.stmt_len if each.stmt_len else len(raw)) for each in found]
    return tuple(redact(raw[start:stop].decode(errors="replace")) for start, stop in spans)
