"""The registry of every code a person can meet: one place, one line each, read by docs and tests.

A code is what a refusal, a hazard or a failure is called in errors, records and documentation. Each line knows how the
three kinds of caller see it (SQLSTATE of PostgreSQL 18 appendix A, MySQL error number, HTTP status), what happened, and
what to do next. Codes that rules give (`access.*`, `pci.*`) live in the bundle's METADATA, not here.
"""

from gateway.core.code import DENIED as _DENIED
from gateway.core.code import UNAVAILABLE as _UNAVAILABLE
from gateway.core.code import Code
from gateway.core.policy_codes import POLICY_CODES

__all__ = ["CODES", "Code"]

_BAD_TOKEN = ("28000", 1045, 401)
_PROTOCOL = ("08P01", 1835, 400)

CODES: dict[str, Code] = {
    # --- identity ------------------------------------------------------------------------------------------------
    "token.missing": Code(*_BAD_TOKEN, "no token was given", "Give the token as the password."),
    "token.too_large": Code(
        *_BAD_TOKEN, "the token is larger than 64 KiB", "Ask the identity provider for a token with fewer claims."
    ),
    "token.malformed": Code(
        *_BAD_TOKEN, "the password is not a signed token", "Give a JSON Web Token as the password, whole and unchanged."
    ),
    "token.encrypted": Code(
        *_BAD_TOKEN, "the token is encrypted", "Ask the identity provider for a signed token that is not encrypted."
    ),
    "token.type": Code(
        *_BAD_TOKEN,
        "the token is of another type than an access token",
        "Give an access token, not one made for another use.",
    ),
    "token.card_number": Code(
        *_BAD_TOKEN,
        "a subject, group or claim in the token looks like a card number",
        "Nothing that is recorded may hold one: have the identity provider send another identifier.",
    ),
    "token.critical": Code(
        *_BAD_TOKEN,
        "the token demands an extension this gateway does not know",
        "Ask the identity provider for a plain token.",
    ),
    "token.unknown_issuer": Code(
        *_BAD_TOKEN, "no issuer of the configuration made the token", "Get the token from a configured issuer."
    ),
    "token.algorithm": Code(
        *_BAD_TOKEN,
        "the token's signature algorithm is not allowed for its issuer",
        "Sign with an algorithm listed for the issuer.",
    ),
    "token.unknown_key": Code(
        *_BAD_TOKEN, "no key of the issuer has the token's key id and type", "Get a fresh token; compare the key sets."
    ),
    "token.signature": Code(
        *_BAD_TOKEN, "the token's signature is wrong", "Get a fresh token and pass it on unchanged."
    ),
    "token.audience": Code(
        *_BAD_TOKEN,
        "the token is meant for another audience",
        "Ask the identity provider for a token for this gateway.",
    ),
    "token.no_expiry": Code(
        *_BAD_TOKEN, "the token has no expiry", "Ask the identity provider for a token that expires."
    ),
    "token.expired": Code(*_BAD_TOKEN, "the token has expired", "Get a fresh token."),
    "token.not_yet_valid": Code(*_BAD_TOKEN, "the token is not valid yet", "Wait, or compare the clocks."),
    "token.issued_in_future": Code(*_BAD_TOKEN, "the token was issued in the future", "Compare the clocks."),
    "token.claims": Code(
        *_BAD_TOKEN, "a claim of the token has an unusable value", "Compare the token's claims with the configuration."
    ),
    "token.subject": Code(
        *_BAD_TOKEN, "the token names no usable subject", "Give each agent a subject of 1 to 256 printable characters."
    ),
    "token.groups": Code(
        *_BAD_TOKEN,
        "the token's groups are not a usable list",
        "Ask the identity provider for groups as a list of names.",
    ),
    "token.delegation": Code(
        *_BAD_TOKEN,
        "the token does not say usably for whom it acts",
        "Compare the token's `act` claim with the configuration.",
    ),
    "token.keys_unavailable": Code(
        *_BAD_TOKEN, "the issuer's keys cannot be read", "Ask the operator to look at the identity provider."
    ),
    # --- wire ----------------------------------------------------------------------------------------------------
    "wire.malformed": Code(*_PROTOCOL, "a message cannot be read", "Report the driver and its version to its authors."),
    "wire.unknown_message": Code(
        *_PROTOCOL, "a message of a type that is not accepted here", "Use a driver that speaks protocol 3.0 to 3.2."
    ),
    "wire.message_too_long": Code(
        *_PROTOCOL, "a message is longer than allowed", "Send less at once, or raise `limits.message_max`."
    ),
    "wire.encoding": Code("22021", 1300, 400, "a text is not valid UTF-8", "Send UTF-8 without NUL characters."),
    "wire.version": Code("0A000", 1251, 400, "this protocol version is not spoken", "Use a driver of this century."),
    "wire.user_missing": Code("28000", 1045, 401, "no user name was given", "Give a user name, such as `agent`."),
    "wire.replication": Code("42501", 1227, 403, "replication connections are not served", "Connect without it."),
    "wire.options": Code(
        "42501", 1227, 403, "a start-up option is not accepted", "Leave it out; settings are listed in the reference."
    ),
    "wire.plaintext": Code("28000", 3159, 401, "TLS is required here", "Connect with sslmode=require or better."),
    "wire.tls": Code("28000", 1043, 400, "the TLS handshake failed", "Check TLS versions and ALPN of the client."),
    "wire.smuggled": Code(
        *_PROTOCOL, "unencrypted bytes came behind a request for encryption", "Look for someone on the network path."
    ),
    "wire.crowded": Code("53300", 1040, 503, "too many clients are logging in", "Retry in a moment."),
    "wire.startup_timeout": Code("28000", 1159, 408, "start-up took too long", "Look at the network, then retry."),
    # --- sql: what could not be understood or rewritten ------------------------------------------------------------
    "statement.unanalysable": Code(
        *_DENIED, "the statement could not be read as SQL", "Check the syntax; send one plain SQL statement."
    ),
    "statement.too_long": Code(
        *_DENIED, "the statement is longer than what is read", "Send shorter statements; values as parameters."
    ),
    "statement.too_many": Code(
        *_DENIED, "one message holds more statements than are read at once", "Send at most 2,000 statements a message."
    ),
    "statement.too_deep": Code(
        *_DENIED,
        "the statement is nested too deeply to be read",
        "Use lists, IN (…) or parameters, or several statements.",
    ),
    "statement.card_number": Code(
        *_DENIED,
        "an object that the statement names is called by what looks like a card number",
        "Nothing that is recorded may hold a card number: have the object renamed.",
    ),
    "statement.carries_code": Code(
        *_DENIED,
        "the statement brings code or names that the gateway cannot follow",
        "Ask a person with direct access; agents write plain SQL over tables and views.",
    ),
    "statement.attribute_notation": Code(
        *_DENIED,
        "a name behind a relation is none of its columns",
        "Write a function as a call, not as `relation.function`.",
    ),
    "statement.parser_disagreement": Code(
        *_DENIED, "two readers of SQL understand the statement differently", "Write it in a plainer form."
    ),
    "statement.multiple": Code(
        "42601",
        1064,
        400,
        "cannot insert multiple commands into a prepared statement",
        "Prepare one statement at a time.",
    ),
    "statement.withheld": Code(
        *_DENIED, "another statement of the same message was refused", "Send the statements one by one."
    ),
    "statement.plan_changed": Code(
        "0A000",
        1615,
        409,
        "cached plan must not change: policy or schema moved since it was prepared",
        "Prepare the statement again.",
    ),
    "statement.cursor_outdated": Code(
        "0A000", 1615, 409, "the policy moved since the cursor was opened", "Close the cursor and declare it again."
    ),
    "second_reader_unread": Code(
        *_DENIED, "the second reader of SQL cannot read the statement", "Write it in a plainer form."
    ),
    "setting.not_literal": Code(*_DENIED, "a setting is given by an expression", "Give a plain literal."),
    "setting.pinned": Code(*_DENIED, "this setting is pinned by the gateway", "Leave it as it is."),
    "setting.path_moves": Code(
        *_DENIED,
        "the search path is changed by a statement of its own, outside a transaction",
        "Send it alone, and wait for its answer before the next statement; or name schemas in the statement.",
    ),
    "setting.path_moved": Code(
        *_DENIED,
        "the session has a search path of its own, and the statement runs code that looks names up by it",
        "RESET search_path first, and name schemas in the statement.",
    ),
    "copy.server_file": Code(
        *_DENIED, "COPY may not reach the server's files or programs", "Use COPY … TO STDOUT or FROM STDIN."
    ),
    "prepared.unknown": Code(
        "26000", 1243, 404, "prepared statement does not exist", "Prepare it in this session first."
    ),
    "catalog.void": Code(
        *_DENIED,
        "the schema was changed in this transaction and cannot be judged yet",
        "Send the change and what uses it one after the other, in READ COMMITTED; or COMMIT first, then go on.",
    ),
    "statement.cannot_rewrite": Code(
        *_DENIED,
        "the statement cannot be rewritten so that protected columns stay masked",
        "Write it in a simpler form: plain FROM, aliases without tricks, no query inside TABLESAMPLE.",
    ),
    "statement.proof_failed": Code(
        *_DENIED,
        "the rewritten statement could not be proven to be safe",
        "Write it in a simpler form; report this statement's shape to the gateway's operator.",
    ),
    "statement.filter_not_applicable": Code(
        *_DENIED,
        "a row filter cannot be applied to what the statement does",
        "Read the filtered relation itself with a plain SELECT, without row locks.",
    ),
    "statement.explain_analyze": Code(
        *_DENIED,
        "EXPLAIN ANALYZE would count and measure stored values behind a mask",
        "Leave ANALYZE out: the plan is shown without it.",
    ),
    "statement.target_read": Code(
        *_DENIED,
        "a protected column of the written relation is read in a condition or an assignment",
        "Select rows by key; assign protected columns only from your own values.",
    ),
    "statement.returning_protected": Code(
        *_DENIED,
        "RETURNING shows a protected column in a form that cannot be masked",
        "Name single columns of the written relation in RETURNING, each with its relation's name.",
    ),
    "statement.masked_write": Code(
        *_DENIED,
        "a masked value would be stored as if it were the real one",
        "Leave protected columns out of what is stored, or store into a temporary table by CREATE TEMP TABLE AS.",
    ),
    "statement.hidden_code": Code(
        *_DENIED,
        "the written relation runs code of its owner over protected rows",
        "Ask the operator to list the trigger, rule, policy or constraint under `triggers.allow` of the site data.",
    ),
    "statement.governed_ddl": Code(
        *_DENIED,
        "this form of definition is not let through on a relation with protected columns or a row filter",
        "Ask a person with direct access; only adding a plain column, comments and DROP can be granted.",
    ),
    "copy.option": Code(
        *_DENIED,
        "this option of COPY is not let through on a relation with protected columns",
        "Use FORMAT, DELIMITER, NULL, HEADER, QUOTE, ESCAPE or FORCE_QUOTE in parentheses behind TO STDOUT.",
    ),
    **POLICY_CODES,
    # --- evidence --------------------------------------------------------------------------------------------------
    "evidence.unavailable": Code(
        *_UNAVAILABLE, "the decision could not be recorded", "Ask the operator to look at the evidence folder; retry."
    ),
    "evidence.unreadable": Code(
        "XX001", 1105, 500, "the log cannot be read", "Run `querywarden audit verify`; it names what is wrong."
    ),
    "evidence.access_unrecorded": Code(
        *_UNAVAILABLE,
        "nothing is shown, because this access cannot be recorded",
        "Look at the gateway and its disk; a read-only copy of the data folder can be read without a record.",
    ),
    "recording.key": Code(
        *_UNAVAILABLE,
        "a key of recordings cannot be used",
        "Make a pair with `querywarden keys recording`: the gateway gets the public key, a reader the private one.",
    ),
    "recording.unknown": Code(
        "02000", 1032, 404, "there is no recording of this session", "Ask `audit search` for its session."
    ),
    "recording.unreadable": Code(
        *_UNAVAILABLE, "a recording is not what was written", "Run `audit verify`; take it from a copy."
    ),
    "recording.retained": Code(
        *_DENIED, "the recording must be kept for now", "Wait for `retention.total`, or give a legal reason."
    ),
    "audit.unknown_decision": Code(
        "42704", 1105, 404, "the log has no such decision", "Find its id with `querywarden audit search`."
    ),
    "audit.unproved": Code(
        "XX001", 1105, 500, "there is no proof that holds", "Run `querywarden audit verify`; it names what is wrong."
    ),
    # --- configuration ---------------------------------------------------------------------------------------------
    "config.invalid": Code("F0000", 1105, 500, "the configuration cannot be used", "Correct each line that is named."),
    "config.secret": Code(
        "F0000",
        1105,
        500,
        "a secret of the configuration cannot be read",
        "Look at the variable, file or command it names.",
    ),
    # --- session ---------------------------------------------------------------------------------------------------
    "wire.unexpected_message": Code(*_PROTOCOL, "a message came where it cannot stand", "Use a standard client."),
    "wire.function_call": Code(
        *_DENIED, "the function-call protocol is not let through", "Call the function in a SELECT."
    ),
    "upstream.unexpected_message": Code(
        "08006", 1429, 502, "the database sent a message that nothing asked for", "Connect again."
    ),
    "upstream.unpinned": Code("08006", 1429, 502, "a pinned setting of the database moved", "Connect again."),
    "portal.unknown": Code("34000", 1243, 404, "portal does not exist", "Bind the statement first."),
    "result.unexpected_column": Code(
        *_DENIED, "a protected column came back that the plan did not expect", "Ask the operator to look at the record."
    ),
    "limit.rows": Code(
        "54000",
        1105,
        403,
        "the statement would return more rows than policy allows",
        "Ask for fewer rows: add a condition or a LIMIT.",
    ),
    "limit.bytes": Code(
        "54000",
        1105,
        403,
        "the statement would return more bytes than policy allows",
        "Ask for fewer rows or columns.",
    ),
    "limit.seconds": Code("57014", 3024, 403, "the statement ran longer than policy allows", "Ask for less at a time."),
    "startup.option": Code(
        "0A000", 1193, 400, "an option at startup is not known to be harmless", "Leave it out, or SET it later."
    ),
    "startup.encoding": Code("22023", 1115, 400, "the client's encoding is not supported", "Use UTF8."),
    "login.failed": Code(
        "28000",
        1045,
        401,
        "authentication failed",
        "Get a fresh token from your identity provider; the operator finds the reason in the record.",
    ),
    "login.user": Code(
        "28000", 1045, 401, "the user name is not the token's subject", "Connect as `agent`, or as the token's subject."
    ),
    "login.gone": Code("28000", 1045, 401, "the client left during login", "Connect again."),
    "login.unknown_connection": Code(
        "3D000",
        1049,
        404,
        "no connection of that name is configured",
        "Use a connection name of the gateway as database name.",
    ),
    "session.token_expired": Code(
        "28000", 1045, 401, "the token has expired, and the session with it", "Get a fresh token and connect again."
    ),
    "session.failed": Code(
        "XX000", 1105, 500, "the gateway failed in this session", "Connect again; report it to the operator."
    ),
    "session.idle": Code(
        "57P05", 4031, 408, "the session was idle for too long", "Connect again; keep sessions busy or end them."
    ),
    "session.too_old": Code(
        "57P05", 4031, 408, "the session has lasted as long as one may", "Connect again with a fresh token."
    ),
    "session.stopping": Code("57P01", 1053, 503, "the gateway is stopping", "Connect again in a moment."),
    # --- session, upstream -----------------------------------------------------------------------------------------
    "listener.address": Code("58000", 1105, 503, "a port cannot be listened on", "Free it, or give another address."),
    "upstream.unreachable": Code(
        "08006", 1429, 503, "the database cannot be reached", "Ask the operator; retry later."
    ),
    "upstream.timeout": Code("08006", 1429, 504, "the database did not answer in time", "Retry later."),
    "upstream.lost": Code("08006", 1429, 503, "the connection to the database was lost", "Connect again."),
    "upstream.tls": Code(
        "08001", 1429, 503, "no trusted TLS connection to the database", "Ask the operator to check its certificate."
    ),
    "upstream.refused": Code(
        "08001", 1429, 503, "the database does not let the gateway in", "Ask the operator to check its account there."
    ),
    "upstream.wrong_server": Code(
        "08001", 1429, 503, "the database is not what it should be", "Ask the operator to check the connection."
    ),
    "upstream.too_many": Code("53300", 1040, 503, "too many connections to the database", "Retry in a moment."),
    "upstream.malformed": Code("08006", 1429, 502, "the database sent what cannot be read", "Connect again."),
    "upstream.message_too_long": Code(
        "08006", 1429, 502, "the database sent a message longer than allowed", "Ask for less; see `limits.message_max`."
    ),
    # --- demo ------------------------------------------------------------------------------------------------------
    "demo.no_postgres": Code(
        *_UNAVAILABLE, "no PostgreSQL was found for the demo", "Install PostgreSQL 13 or newer, or `querywarden[demo]`."
    ),
    "demo.gateway_failed": Code(
        *_UNAVAILABLE, "the demo's gateway did not start", "Read `gateway.log` in the demo's folder."
    ),
    "demo.postgres_failed": Code(
        *_UNAVAILABLE, "the demo's PostgreSQL did not run", "Read what it said: the end of its log is in the message."
    ),
}
