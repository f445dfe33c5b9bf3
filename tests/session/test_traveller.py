"""Who is on the way: the identity part of each record."""

from tests.session.test_records import traveller


def test_the_record_names_subject_issuer_and_for_whom() -> None:
    who = traveller().who
    assert (who.id, who.issuer, who.on_behalf_of) == ("refund-agent", "https://idp.test", "maria")


def test_nobody_behind_an_agent_is_nobody() -> None:
    alone = traveller()
    principal = alone.principal
    alone.principal = type(principal)(subject="a", issuer="i", expires_at=1)
    assert alone.who.on_behalf_of == ""
