# What one can do with a checkout. `make` alone lists it. Everything runs again at no cost when nothing changed.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11
PYTHON := $(shell for p in $(CANDIDATES); do "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && { echo "$$p"; break; }; done)

.PHONY: help python3.11-or-newer setup demo test check guards policy-check bundles conformance chaos bench docs lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python3.11-or-newer:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none of these is: $(CANDIDATES)" >&2; exit 3; }

setup: python3.11-or-newer ## create .venv with everything, so that .venv/bin/querywarden exists
	@$(PYTHON) tools/setup.py python

demo: python3.11-or-newer ## a real PostgreSQL behind the gateway, and a guided tour that proves each step
	@$(PYTHON) tools/setup.py demo
	@$(BIN)/querywarden demo --run

test: python3.11-or-newer ## every test; installs the servers and clients they need
	@$(PYTHON) tools/setup.py test
	@$(BIN)/pytest -q

check: setup ## format, lint, types, layers, shape, documentation up to date
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -q tests/shape

guards: python3.11-or-newer ## switch each guard off in turn and see that a test notices
	@$(PYTHON) tools/setup.py test
	@$(BIN)/python -m tests.guards

policy-check: setup ## the rules: format, strict, tests, coverage, meta, regal, reproducible build, three engines, mutation (minutes)
	@sh tools/build.sh
	@$(BIN)/python -m tools.policy_check

bundles: setup ## write bundles/ and the schemas from policies/
	@sh tools/build.sh
	@$(BIN)/python -m tools.bundles
	@$(BIN)/python -m tools.docs

conformance: python3.11-or-newer ## suites and verifiers that others wrote
	@$(PYTHON) tools/setup.py test
	@$(BIN)/pytest -q -s -o python_files='test_*.py whole_*.py' tests/conformance

chaos: python3.11-or-newer ## faults injected into a running gateway
	@$(PYTHON) tools/setup.py test
	@env QUERYWARDEN_RECORDED=1 QUERYWARDEN_FUZZ=4000000 QUERYWARDEN_KILLS=50 QUERYWARDEN_FAULTS=10 QUERYWARDEN_STREAMS=1000 \
		$(BIN)/pytest -q tests/chaos tests/e2e/test_kill.py tests/e2e/test_full.py tests/e2e/test_recording.py tests/e2e/test_scale.py

bench: python3.11-or-newer ## direct, pgbouncer and the gateway side by side
	@$(PYTHON) tools/setup.py bench
	@bench/run

docs: setup ## write the generated pages of docs/reference
	@$(BIN)/python -m tools.docs

lock: setup ## lock dependencies again, for uv and for plain pip
	@$(BIN)/uv lock
	@$(BIN)/uv export -q --locked --all-extras --all-groups --no-hashes --no-emit-project --no-annotate --no-header -o requirements.txt
