"""Names written so that the server reads them as they are stored: quoted unless they are plain and no keyword."""

import re
from functools import lru_cache

from postgast import pg_query_pb2 as pb

from gateway.sql import grammar

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


@lru_cache(maxsize=4096)
def quote(name: str) -> str:
    """An identifier for SQL text (PostgreSQL 18, §4.1.1)."""
    if _PLAIN.match(name):
        tokens = grammar.scan(name)
        if len(tokens) == 1 and tokens[0].keyword_kind == pb.NO_KEYWORD:
            return name
    return '"' + name.replace('"', '""') + '"'


def qualified(schema: str, name: str) -> str:
    """`schema.name`."""
    return f"{quote(schema)}.{quote(name)}"
