"""MD5: the answer that servers and libpq agree on."""

from gateway.wire.postgres.md5 import md5_password


def test_the_answer_is_the_one_computed_by_md5sum() -> None:
    assert md5_password("agent", "secret", b"\x01\x02\x03\x04") == "md578f6f2e5299d91a5ab1c30bf8cae9aec"
