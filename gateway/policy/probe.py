"""The question every new bundle is asked before it decides anything: it has to give a decision, whichever."""

import hashlib
from typing import Final

from gateway.core.principal import Principal
from gateway.core.statement import Relation, Statement
from gateway.policy.document import Circumstances, Request, Resource

_TEXT: Final = "SELECT * FROM probe"

PROBE: Final = Request(
    principal=Principal(subject="querywarden-probe", issuer="querywarden", expires_at=0),
    resource=Resource(connection="querywarden-probe", engine="postgres", version="", database=""),
    statement=Statement(
        action="select",
        category="read",
        text_redacted=_TEXT,
        sha256=hashlib.sha256(_TEXT.encode()).hexdigest(),
        fingerprint="",
        relations=(Relation(schema="public", name="probe", kind="table", access=("read",)),),
    ),
    context=Circumstances(time_ns=0, channel="postgres"),
)
