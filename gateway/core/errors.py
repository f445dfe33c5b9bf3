"""One tree of errors. Each carries a code of the registry, and so its SQLSTATE, MySQL code and HTTP status."""

from gateway.core.codes import CODES, Code


class GatewayError(Exception):
    """Something that ends what was being done. `code` names it in `core/codes.py`.

    `detail` is shown to the client and stored in the record: never put a literal, a token or a credential into it.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    @property
    def entry(self) -> Code:
        """The registry's line for this error."""
        return CODES[self.code]


class Refused(GatewayError):
    """The statement is not let through. The connection stays usable."""


class Unauthenticated(GatewayError):
    """The caller did not prove who they are. `code` says why in the record; the client is told nothing useful."""


class ProtocolError(GatewayError):
    """The peer broke its protocol. The connection ends."""


class Unavailable(GatewayError):
    """A part the gateway needs (policy, evidence, database, identity provider) cannot serve now."""


class BundleRejected(GatewayError):
    """A policy bundle is not one to decide by: damaged, unsigned, expired, unknown (`bundle.*`). The old one stays."""


class ConfigError(GatewayError):
    """What the operator wrote cannot be used. `detail` has every finding, one a line, `file:line: text`."""
