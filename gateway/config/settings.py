"""Every setting of `gateway.yaml`: its name, type, default and meaning. The reference page is made from this file."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from gateway.config.quantities import Address, Duration, Location, Size, StoreUrl
from gateway.config.secret import Secret
from gateway.config.section import Section as _Section
from gateway.config.section import Text
from gateway.config.section import made as _made
from gateway.config.section import of as _of
from gateway.config.section import said as _said
from gateway.config.sinks import Sink

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Names = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(min_length=1)]


class ServerTls(_Section, frozen=True, kw_only=True):
    """What a listener shows its clients."""

    cert: Annotated[Path, Meta(description="Certificate chain, PEM.")]
    key: Annotated[Path, Meta(description="Private key, PEM; not readable by everybody.")]


class Listener(_Section, frozen=True, kw_only=True):
    """A port that clients connect to."""

    address: Annotated[Address, Meta(description="host:port to listen on.")]
    tls: Annotated[ServerTls | None, Meta(description="Needed, since tokens travel as passwords.")] = None
    insecure_loopback: Annotated[
        bool, Meta(description="Take tokens without TLS from clients on this machine; the address must be loopback.")
    ] = False


class Listeners(_Section, frozen=True, kw_only=True):
    """The ports of the gateway, by protocol."""

    postgres: Annotated[
        Listener | tuple[Listener, ...] | None, Meta(description="PostgreSQL protocol: one listener or a list of them.")
    ] = None
    mysql: Annotated[Listener | None, Meta(description="MySQL protocol. Not available in this version.")] = None
    http: Annotated[Listener | None, Meta(description="The active bundle for OPA servers, metrics and health.")] = None

    @property
    def for_postgres(self) -> tuple[Listener, ...]:
        """The PostgreSQL listeners as a list, whichever way they were written."""
        match self.postgres:
            case None:
                return ()
            case Listener():
                return (self.postgres,)
            case tuple():
                return self.postgres


class ClaimSettings(_Section, frozen=True, kw_only=True):
    """Which claims of a token mean what; a name or a dotted path."""

    subject: Annotated[Text, Meta(description="Who the agent is.")] = "sub"
    groups: Annotated[Text, Meta(description="The agent's groups, a list of names.")] = "groups"
    on_behalf_of: Annotated[Text, Meta(description="For whom the agent acts (RFC 8693).")] = "act"
    keep: Annotated[tuple[Text, ...], Meta(description="Claims that policy may see; all others are dropped.")] = ()


class Issuer(_Section, frozen=True, kw_only=True):
    """An identity provider whose tokens are taken. Without `jwks_file` and `jwks_uri` its keys are discovered."""

    issuer: Annotated[Text, Meta(description="The `iss` of its tokens, to the letter.")]
    audience: Annotated[Names, Meta(description="A token must be meant for one of these.")]
    jwks_file: Annotated[Path | None, Meta(description="Its key set as a file, read again when it changes.")] = None
    jwks_uri: Annotated[Text | None, Meta(description="The https address of its key set.")] = None
    jwks_ca: Annotated[Path | None, Meta(description="Authority of that address, PEM, when it is a private one.")] = (
        None
    )
    algorithms: Annotated[
        Annotated[tuple[Algorithm, ...], Meta(min_length=1)], Meta(description="Signature algorithms taken.")
    ] = ("RS256", "ES256", "EdDSA")
    claims: Annotated[ClaimSettings, Meta(description="Which claims mean what.")] = _made(ClaimSettings)


class Identity(_Section, frozen=True, kw_only=True):
    """Whose tokens are taken."""

    issuers: Annotated[Annotated[tuple[Issuer, ...], Meta(min_length=1)], Meta(description="At least one.")]
    skew: Annotated[Duration, _said("How far clocks may differ, at most 5m.", "30s")] = _of(Duration.parse, "30s")


class Opa(_Section, frozen=True, kw_only=True):
    """An OPA server, 1.22 or newer, that has loaded the very bundle of this gateway: `/v1/bundles` serves it."""

    url: Annotated[Text, Meta(description="`unix:///path`, `https://…`, or `http://…` on this machine.")]
    timeout: Annotated[Duration, _said("After this a statement is denied.", "250ms")] = _of(Duration.parse, "250ms")
    bundle: Annotated[
        str, Meta(description="What OPA's configuration calls the bundle.", pattern="^[A-Za-z0-9_.-]{1,128}$")
    ] = "querywarden"
    ca: Annotated[Path | None, Meta(description="Authority of an https address, PEM; the system's when absent.")] = None
    tls: Annotated[ServerTls | None, Meta(description="The certificate shown to OPA, when it asks for one.")] = None
    token: Annotated[Secret | None, Meta(description="Bearer token, when OPA asks for one.")] = None


class SecondEngine(_Section, frozen=True, kw_only=True):
    """Another engine that is asked the same now and then; when the two differ, the statement is denied."""

    engine: Annotated[Literal["embedded", "opa"], Meta(description="Not the one that decides.")]
    percent: Annotated[int, Meta(description="Of the statements that are evaluated.", ge=1, le=100)] = 10


class BundleServer(_Section, frozen=True, kw_only=True):
    """How a bundle is fetched when `bundle` is an address."""

    poll: Annotated[Duration, _said("Between looks, 1s to 1h.", "30s")] = _of(Duration.parse, "30s")
    timeout: Annotated[Duration, _said("For one look.", "10s")] = _of(Duration.parse, "10s")
    ca: Annotated[Path | None, Meta(description="Authority of the address, PEM; the system's when absent.")] = None
    token: Annotated[Secret | None, Meta(description="Bearer token for the server.")] = None


class Publish(_Section, frozen=True, kw_only=True):
    """How the active bundle is served at `/v1/bundles/NAME.tar.gz` of the http listener."""

    name: Annotated[str, Meta(description="NAME.", pattern="^[A-Za-z0-9_-]{1,128}$")] = "querywarden"
    token: Annotated[
        Secret | None, Meta(description="Bearer token readers must give; none is asked for when absent.")
    ] = None


class Policy(_Section, frozen=True, kw_only=True):
    """Which bundle decides, and who may have signed it."""

    bundle: Annotated[
        Location, Meta(description="Path of the signed archive (watched), or an address of a bundle server (polled).")
    ]
    bundle_server: Annotated[BundleServer, Meta(description="How an address is polled.")] = _made(BundleServer)
    engine: Annotated[Literal["embedded", "opa"], Meta(description="What evaluates it.")] = "embedded"
    opa: Annotated[Opa | None, Meta(description="The server of engine `opa`.")] = None
    second_engine: Annotated[SecondEngine | None, Meta(description="Another engine that checks this one.")] = None
    verification_keys: Annotated[
        Annotated[tuple[Path, ...], Meta(min_length=1)],
        Meta(description="Public keys, PEM; one must have signed. Read again at each bundle and at SIGHUP."),
    ]
    revoked_keys: Annotated[
        tuple[Text, ...], Meta(description="Key ids or SHA-256 fingerprints whose signatures are believed no more.")
    ] = ()
    publish: Annotated[Publish, Meta(description="How the active bundle is served to OPA servers.")] = _made(Publish)
    shadow: Annotated[
        Location | None, Meta(description="A candidate's path: evaluated beside and recorded, never enforced.")
    ] = None


class UpstreamTls(_Section, frozen=True, kw_only=True):
    """TLS to the database."""

    mode: Annotated[
        Literal["disable", "require", "verify-full"],
        Meta(description="`require` encrypts only; `verify-full` also checks whom we speak to."),
    ] = "verify-full"
    ca: Annotated[Path | None, Meta(description="Authority, PEM; the system's own when absent.")] = None
    channel_binding: Annotated[
        Literal["prefer", "require"],
        Meta(description="`require`: log in by SCRAM-SHA-256-PLUS, bound to the server's certificate, or not at all."),
    ] = "prefer"


class Limits(_Section, frozen=True, kw_only=True):
    """What one connection may use."""

    idle_timeout: Annotated[Duration, _said("A session without a statement ends.", "15m")] = _of(Duration.parse, "15m")
    session_max: Annotated[Duration, _said("A session ends, whatever it does.", "8h")] = _of(Duration.parse, "8h")
    message_max: Annotated[Size, _said("Largest protocol message, 64KiB to 1GiB.", "16MiB")] = _of(Size.parse, "16MiB")
    pool_max: Annotated[int, Meta(description="Connections to the database at a time.", ge=1, le=100_000)] = 200


class Connection(_Section, frozen=True, kw_only=True):
    """A database behind the gateway. Its name is what clients give as database name."""

    type: Annotated[
        Literal["postgres", "mysql"], Meta(description="Its protocol. `mysql` is not available in this version.")
    ]
    host: Annotated[Text, Meta(description="Its host name or address.")]
    port: Annotated[int, Meta(description="Its port.", ge=1, le=65535)] = 5432
    database: Annotated[Text, Meta(description="Its database name.")]
    user: Annotated[Text, Meta(description="The role the gateway logs in as.")]
    password: Annotated[Secret | None, Meta(description="That role's password.")] = None
    tls: Annotated[UpstreamTls, Meta(description="TLS to the database.")] = _made(UpstreamTls)
    search_path: Annotated[Names, Meta(description="Schemas of unqualified names; pinned for every session.")] = (
        "public",
    )
    labels: Annotated[
        dict[Text, Annotated[str, Meta(max_length=256)]],
        Meta(description="Facts about it that policy may use, as text."),
    ] = {}
    limits: Annotated[Limits, Meta(description="What its sessions may use.")] = _made(Limits)
    protocol: Annotated[
        Literal["3.0", "3.2"],
        Meta(description="Version asked of the database; 3.2 brings longer cancel keys. Poolers may not know it."),
    ] = "3.0"
    notices: Annotated[
        Literal["on", "off"], Meta(description="Whether clients are told which columns they see through a mask.")
    ] = "on"


class Notify(_Section, frozen=True, kw_only=True):
    """Whom to tell of a held statement."""

    webhook: Annotated[Text, Meta(description="An https address.")]
    secret: Annotated[Secret | None, Meta(description="Key of the signature.")] = None


class Approvals(_Section, frozen=True, kw_only=True):
    """How long statements wait for people."""

    hold: Annotated[Duration, _said("On the wire.", "60s")] = _of(Duration.parse, "60s")
    request_ttl: Annotated[Duration, _said("For an answer.", "15m")] = _of(Duration.parse, "15m")
    grant_ttl: Annotated[Duration, _said("To be used, once granted.", "5m")] = _of(Duration.parse, "5m")
    notify: Annotated[tuple[Notify, ...], Meta(description="Whom to tell. Not available in this version.")] = ()


class Recording(_Section, frozen=True, kw_only=True):
    """What is kept of what agents receive."""

    content: Annotated[
        Literal["full", "shape", "none"] | None,
        Meta(
            description="`full`: what passed, encrypted to the recipients. `shape`, `none`: what the log says, no more."
        ),
    ] = None
    """absent: full when there are recipients, else shape"""
    recipients: Annotated[
        tuple[Path, ...], Meta(description="Public keys (`querywarden keys recording`) that can open recordings.")
    ] = ()

    @property
    def is_full(self) -> bool:
        """Sessions are recorded. Without recipients nobody could read that, so the shape in the log has to do."""
        return bool(self.recipients) and self.content in {"full", None}


class Retention(_Section, frozen=True, kw_only=True):
    """How long evidence is kept."""

    hot: Annotated[Duration, _said("At hand; the retention report counts what is older.", "92d")] = _of(
        Duration.parse, "92d"
    )
    archive: Annotated[
        Path | None, Meta(description="A folder to which leaves that are no longer hot are moved; else they stay.")
    ] = None
    total: Annotated[Duration, _said("Then the content of old leaves is pruned, recorded; hashes stay.", "400d")] = _of(
        Duration.parse, "400d"
    )


class Witness(_Section, frozen=True, kw_only=True):
    """An independent witness that cosigns the log's checkpoints (C2SP tlog-witness)."""

    url: Annotated[Text, Meta(description="Its submission prefix: `https://…`, without `/add-checkpoint`.")]
    key: Annotated[
        Annotated[str, Meta(min_length=1, max_length=4096)],
        Meta(description="Its public key as it publishes it, `name+id+key`; Ed25519 or ML-DSA-44."),
    ]
    timeout: Annotated[Duration, _said("For one question, at most 1m.", "5s")] = _of(Duration.parse, "5s")
    ca: Annotated[Path | None, Meta(description="Authority of its address, PEM; the system's when absent.")] = None


class Anchor(_Section, frozen=True, kw_only=True):
    """A time-stamping authority (RFC 3161). Needs the extra `anchor`."""

    url: Annotated[Text, Meta(description="Where it takes questions; http is fine, its answers are signed.")]
    ca: Annotated[Path, Meta(description="The roots its certificate leads to, PEM.")]
    every: Annotated[Duration, _said("Between two time-stamps of the newest checkpoint, 1m to 7d.", "24h")] = _of(
        Duration.parse, "24h"
    )
    timeout: Annotated[Duration, _said("For one question, at most 5m.", "30s")] = _of(Duration.parse, "30s")


class PublishLog(_Section, frozen=True, kw_only=True):
    """How the log is served at `/v1/log/` of the http listener (C2SP tlog-tiles)."""

    token: Annotated[
        Secret | None,
        Meta(
            description="Bearer token readers must give. Without one no entries are served, and nothing off loopback."
        ),
    ] = None


class Evidence(_Section, frozen=True, kw_only=True):
    """How decisions are recorded."""

    durability: Annotated[
        Literal["group", "each"],
        Meta(description="`each` syncs every decision before its statement; `group` those that touch protected data."),
    ] = "group"
    recording: Annotated[Recording, Meta(description="What is kept of what agents receive.")] = _made(Recording)
    checkpoint_interval: Annotated[Duration, _said("Between signed checkpoints, 100ms to 1h.", "1s")] = _of(
        Duration.parse, "1s"
    )
    witnesses: Annotated[tuple[Witness, ...], Meta(description="Who cosigns the log's checkpoints.")] = ()
    witness_interval: Annotated[
        Duration, _said("Between two questions to a witness, 1s to 1h; the newest checkpoint is sent.", "10s")
    ] = _of(Duration.parse, "10s")
    anchors: Annotated[tuple[Anchor, ...], Meta(description="Who time-stamps the log's checkpoints.")] = ()
    publish: Annotated[PublishLog, Meta(description="How the log is served to its readers.")] = _made(PublishLog)
    sinks: Annotated[tuple[Sink, ...], Meta(description="Where copies of the log go, each at its own pace.")] = ()
    retention: Annotated[Retention, Meta(description="How long evidence is kept.")] = _made(Retention)


class Stores(_Section, frozen=True, kw_only=True):
    """Where state and objects are kept; below `data_dir` when absent."""

    state: Annotated[StoreUrl | None, Meta(description="`sqlite:///path` or `postgresql://…`.")] = None
    objects: Annotated[StoreUrl | None, Meta(description="`file:///path` or `s3://…`.")] = None


ConnectionName = Annotated[str, Meta(pattern="^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$")]


class Settings(_Section, frozen=True, kw_only=True):
    """The configuration of a gateway. Relative paths are taken from the folder of the file."""

    version: Annotated[Literal[1], Meta(description="Of this format.")]
    data_dir: Annotated[Path, _said("Keys, log and local stores; created with mode 0700.", "var")] = _of(Path, "var")
    listeners: Annotated[Listeners, Meta(description="The ports of the gateway.")]
    identity: Annotated[Identity, Meta(description="Whose tokens are taken.")]
    policy: Annotated[Policy, Meta(description="Which bundle decides.")]
    connections: Annotated[
        Annotated[dict[ConnectionName, Connection], Meta(min_length=1)],
        Meta(description="The databases, by the name clients give."),
    ]
    approvals: Annotated[Approvals, Meta(description="How long statements wait for people.")] = _made(Approvals)
    evidence: Annotated[Evidence, Meta(description="How decisions are recorded.")] = _made(Evidence)
    stores: Annotated[Stores, Meta(description="Where state is kept.")] = _made(Stores)
