"""The guided tour: each scene sends something real through the gateway and checks what came back."""

import re
from collections.abc import Callable, Iterator

from gateway.cli.demo.scene import Scene, table
from gateway.cli.demo.stage import Answer, Stage

SUPPORT, FRAUD, INTERN = "support-agent", "fraud-agent", "intern-agent"
PAN = "4111111111111111"
DENIED = "42501"
REASONS = ("signature", "key", "expired", "issuer", "audience", SUPPORT)
"""words that would help whoever tries tokens; the reason stands in the record"""
DIGITS = re.compile(r"(?:\d[ -]?){13,}")


def shown(answer: Answer) -> str:
    """What a person would have seen."""
    if answer.sqlstate:
        return answer.error
    notices = "".join(f"NOTICE: {notice}\n" for notice in answer.notices)
    return notices + table(answer.names, answer.rows)


def allowed(stage: Stage) -> Scene:
    """Nothing protected: the rows come as they are."""
    sent = "SELECT id, name, country FROM customers ORDER BY id LIMIT 3"
    answer = stage.ask(SUPPORT, sent)
    return Scene(
        title="An agent asks for what it may see", who=SUPPORT, sent=sent, came=shown(answer),
        claim="an allowed statement reaches a real PostgreSQL and its rows come back unchanged",
        holds=answer.rows == [(1, "Ada Brandt", "DE"), (2, "Ben Okafor", "NG"), (3, "Chiara Rossi", "IT")],
    )  # fmt: skip


def masked(stage: Stage) -> Scene:
    """Labelled columns: the number's last four digits, and no CVV."""
    sent = "SELECT id, brand, pan, cvv FROM cards ORDER BY id LIMIT 2"
    answer = stage.ask(SUPPORT, sent)
    return Scene(
        title="The same agent asks for card numbers", who=SUPPORT, sent=sent, came=shown(answer),
        claim="protected columns are masked, and the CVV is never shown",
        holds=[row[2:] for row in answer.rows] == [("************1111", None), ("************0005", None)],
    )  # fmt: skip


def masked_at_the_source(stage: Stage) -> Scene:
    """Expressions, a view nobody labelled, a predicate: none is evaluated over a raw value."""
    sent = "SELECT reverse(number) AS backwards, number LIKE '4111%' AS guess FROM wallet WHERE holder = 'Ada Brandt'"
    answer = stage.ask(SUPPORT, sent)
    backwards = sorted(str(row[0]) for row in answer.rows)
    return Scene(
        title="It tries to get round the mask, through a view nobody labelled", who=SUPPORT, sent=sent,
        came=shown(answer),
        claim="masking happens where the column is read, so no expression ever sees a raw card number",
        holds=backwards == ["1111************", "5000************"] and not any(row[1] for row in answer.rows),
    )  # fmt: skip


def cleared(stage: Stage) -> Scene:
    """A group that may see card numbers, having said why, still gets no CVV."""
    reason, sent = "SET querywarden.reason = 'chargeback 881'", "SELECT pan, cvv FROM cards WHERE id = 1"
    answer = stage.ask(FRAUD, reason, sent)
    return Scene(
        title="Another agent is cleared for card numbers, and says why it needs one", who=FRAUD,
        sent=f"{reason};\n{sent}", came=shown(answer).replace(PAN, "4111…1111 (in full)"),
        claim="who may see a number is decided by policy from the token's groups; nobody is shown a CVV",
        holds=answer.rows == [(PAN, None)],
    )  # fmt: skip


def denied(stage: Stage) -> Scene:
    """A refused statement is an ordinary SQL error, and the connection goes on."""
    sent = "DROP TABLE cards"
    answer, after = stage.ask(SUPPORT, sent), stage.ask(SUPPORT, sent, "SELECT count(*) FROM orders")
    return Scene(
        title="It tries to destroy something", who=SUPPORT, sent=sent, came=shown(answer),
        claim="a denied statement gets an error the agent can act on, and its connection stays usable",
        holds=answer.sqlstate == DENIED and after.rows == [(48,)],
    )  # fmt: skip


def no_grant(stage: Stage) -> Scene:
    """A good token that grants nothing."""
    sent = "SELECT name FROM customers"
    answer = stage.ask(INTERN, sent)
    return Scene(
        title="An agent without a group that grants it anything", who=INTERN, sent=sent, came=shown(answer),
        claim="what is not granted is denied",
        holds=answer.sqlstate == DENIED,
    )  # fmt: skip


def unknown_token(stage: Stage) -> Scene:
    """A token whose signature was changed."""
    token = stage.token_file(SUPPORT).read_text(encoding="ascii").strip()
    head, _, signature = token.rpartition(".")
    answer = stage.ask_with(f"{head}.{signature[::-1]}", "SELECT 1")
    said = answer.error.lower()
    return Scene(
        title="Somebody comes with a token the issuer did not sign", who="unknown", sent="(login)", came=shown(answer),
        claim="no valid token, no session; and the answer tells an attacker nothing",
        holds=said.startswith("fatal") and not answer.rows and not any(word in said for word in REASONS),
    )  # fmt: skip


def net(stage: Stage) -> Scene:
    """A card number in a column nobody classified."""
    sent = "SELECT id, note FROM orders WHERE note LIKE 'customer rang%'"
    answer = stage.ask(SUPPORT, sent)
    return Scene(
        title="A card number lies in free text that nobody classified", who=SUPPORT, sent=sent, came=shown(answer),
        claim="text that goes out is scanned, and a card number in it is blanked in place",
        holds=len(answer.rows) == 1 and DIGITS.search(str(answer.rows[0])) is None and "instead" in str(answer.rows[0]),
    )  # fmt: skip


SCENES: tuple[Callable[[Stage], Scene], ...] = (
    allowed, masked, masked_at_the_source, cleared, denied, no_grant, unknown_token, net,
)  # fmt: skip


def play(stage: Stage) -> Iterator[Scene]:
    """Every scene in order."""
    for scene in SCENES:
        yield scene(stage)
