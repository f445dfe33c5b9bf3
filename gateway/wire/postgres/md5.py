"""The answer to AuthenticationMD5Password (PostgreSQL 18, §54.2.1): for servers that know nothing better."""

import hashlib


def md5_password(user: str, secret: str, salt: bytes) -> str:
    """`md5` + hex(md5(hex(md5(password + user)) + salt)); `salt` has four bytes."""
    inner = hashlib.md5((secret + user).encode(), usedforsecurity=False).hexdigest()
    return "md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest()
