package main_test

import data.main

good := {
	"version": 1,
	"listeners": {
		"postgres": {"address": "0.0.0.0:6432", "tls": {"cert": "c", "key": "k"}},
		"http": {"address": "127.0.0.1:6480"},
	},
	"identity": {"issuers": [{"issuer": "https://idp.example", "audience": ["querywarden"], "algorithms": ["RS256"]}]},
	"policy": {"bundle": "bundles/pci.tar.gz", "verification_keys": ["keys/policy.pub"]},
	"connections": {"payments": {"host": "db", "password": {"env": "PASSWORD"}, "tls": {"mode": "verify-full", "ca": "ca"}}},
	"evidence": {"retention": {"total": "400d"}, "witnesses": ["https://witness.example"]},
}

# The one complaint about the good file with one value set otherwise.
complaint(path, value) := found if {
	some found in main.deny with input as json.patch(good, [{"op": "add", "path": path, "value": value}])
}

test_a_good_file_has_no_findings if {
	count(main.deny) == 0 with input as good
	count(main.warn) == 0 with input as good
}

test_a_listener_has_tls if startswith(complaint("/listeners/postgres", {"address": "x"}), "listeners.postgres: passwords")

test_http_has_tls_unless_it_is_local if {
	startswith(complaint("/listeners/http", {"address": "0.0.0.0:6480"}), "listeners.http: it listens on more")
	count(main.deny) == 0 with input as json.patch(good, [{"op": "add", "path": "/listeners/http/address", "value": "[::1]:1"}])
}

test_a_database_is_known_before_it_is_believed if {
	startswith(complaint("/connections/payments/tls", {"mode": "require"}), "connections.payments.tls: nobody checks")
	startswith(complaint("/connections/payments/tls", {}), "connections.payments.tls: nobody checks")
}

test_a_unix_socket_needs_no_tls if {
	count(main.deny) == 0 with input as json.patch(good, [
		{"op": "add", "path": "/connections/payments/host", "value": "/run/postgresql"},
		{"op": "remove", "path": "/connections/payments/tls"},
	])
}

test_a_secret_is_named_and_its_value_never_repeated if {
	found := complaint("/connections/payments/password", "hunter2")
	startswith(found, "connections.payments.password: a secret stands in the file")
	not contains(found, "hunter2")
}

test_a_bundle_is_verified if {
	startswith(complaint("/policy/verification_keys", []), "policy.verification_keys: no key")
	startswith(complaint("/policy/bundle", "http://bundles.example/b"), "policy.bundle: it is fetched without TLS")
}

test_an_issuer_proves_whom_it_speaks_to if {
	startswith(complaint("/identity/issuers/0/issuer", "http://idp.example"), "identity.issuers[0].issuer: it is asked")
	startswith(complaint("/identity/issuers/0/audience", []), "identity.issuers[0].audience: tokens for anybody")
	startswith(complaint("/identity/issuers/0/algorithms", ["none"]), "identity.issuers[0].algorithms: none proves")
	startswith(complaint("/identity/issuers/0/algorithms", ["HS256"]), "identity.issuers[0].algorithms: HS256 proves")
}

test_decisions_are_kept_for_a_year if {
	startswith(complaint("/evidence/retention/total", "30d"), "evidence.retention.total: 30d is less")
	startswith(complaint("/evidence/retention/total", "700h"), "evidence.retention.total: 700h is less")
}

test_nobody_else_has_seen_the_log if {
	count(main.warn) == 1 with input as json.patch(good, [{"op": "remove", "path": "/evidence"}])
}

test_a_developers_exception_is_found if {
	startswith(complaint("/listeners/postgres/insecure_loopback", true), "listeners.postgres.insecure_loopback: it is for")
}
