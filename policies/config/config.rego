# METADATA
# title: What a gateway.yaml for card data should hold
# description: |
#   For `conftest test --policy policies/config gateway.yaml`. `querywarden check` says whether a file is valid; these say
#   whether it is fit for production. Findings name the setting, and what to write.
package main

loopback := {"127.0.0.1", "::1", "localhost"}

# METADATA
# title: Clients come in over TLS
deny contains sprintf("listeners.%s: passwords and tokens travel in clear; give it tls: {cert, key}", [name]) if {
	some name, listener in input.listeners
	name != "http"
	not listener.tls
}

deny contains "listeners.http: it listens on more than this machine without TLS; give it tls: {cert, key}" if {
	not input.listeners.http.tls
	not local(input.listeners.http.address)
}

# METADATA
# title: Databases are reached over TLS that checks who answers
deny contains sprintf("connections.%s.tls: nobody checks who answers; write mode: verify-full and a ca", [name]) if {
	some name, connection in input.connections
	not connection.tls.mode == "verify-full"
	not startswith(object.get(connection, "host", ""), "/")
}

# METADATA
# title: Secrets are named, never written
deny contains sprintf("%s: a secret stands in the file; name it: {env: NAME} or {file: path}", [concat(".", path)]) if {
	walk(input, [steps, value])
	path := [sprintf("%v", [step]) | some step in steps]
	regex.match(`^(password|secret|token|client_secret|api_key)$`, path[count(path) - 1])
	not is_object(value)
}

# METADATA
# title: Bundles are verified
deny contains "policy.verification_keys: no key verifies the bundle; name at least one public key" if {
	count(object.get(input.policy, "verification_keys", [])) == 0
}

deny contains "policy.bundle: it is fetched without TLS; write an https address" if {
	startswith(input.policy.bundle, "http://")
}

# METADATA
# title: Tokens are verified by keys, and meant for this gateway
deny contains sprintf("identity.issuers[%d].issuer: it is asked without TLS; write an https address", [number]) if {
	some number, issuer in input.identity.issuers
	startswith(issuer.issuer, "http://")
}

deny contains sprintf("identity.issuers[%d].audience: tokens for anybody are taken; name this gateway", [number]) if {
	some number, issuer in input.identity.issuers
	count(object.get(issuer, "audience", [])) == 0
}

deny contains sprintf("identity.issuers[%d].algorithms: %s proves nothing here; take RS256, ES256 or EdDSA", [number, name]) if {
	some number, issuer in input.identity.issuers
	some name in issuer.algorithms
	regex.match(`^(?i)(none|HS[0-9]+)$`, name)
}

# METADATA
# title: Decisions are kept as long as an audit asks for them
deny contains sprintf("evidence.retention.total: %s is less than a year; write 400d", [total]) if {
	total := input.evidence.retention.total
	days(total) < 365
}

warn contains "evidence.witnesses: nobody else has seen the log; name a witness" if {
	count(object.get(object.get(input, "evidence", {}), "witnesses", [])) == 0
}

# METADATA
# title: An exception for a developer's machine is no production
deny contains sprintf("listeners.%s.insecure_loopback: it is for development; give tls instead", [name]) if {
	some name, listener in input.listeners
	listener.insecure_loopback
}

local(address) if {
	some host in loopback
	startswith(trim_left(address, "["), host)
}

days(text) := to_number(trim_suffix(text, "d")) if endswith(text, "d")

# Anything in smaller units is taken for too short.
days(text) := 0 if not endswith(text, "d")
