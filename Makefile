# The two commands are `make up` and `make test`; everything else is for people who change AYA.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: setup ## make this machine's truth: server, schema, facts, checks, baseline snapshot
	@$(BIN)/aya up --once

setup: $(VENV)/.ready ## build .venv from the hashed lock files

# Without ensurepip, so that a system Python lacking the venv extras will do; pip fills the environment from outside.
$(VENV)/.ready: requirements.lock requirements-dev.lock requirements-uv.lock pyproject.toml
	@echo "Building $(VENV) (about half a minute the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "AYA needs Python 3.11 or newer; name one with PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv --without-pip --upgrade $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check --root-user-action ignore --require-hashes -r requirements-uv.lock
	@$(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements-dev.lock -r requirements-uv.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

test: setup ## run all tests
	@$(BIN)/python -m pytest -n auto

bench: setup ## measure AYA against doing without it; `make bench BENCH="overview --quick"` for one
	@$(BIN)/python -m bench $(BENCH)

soak: setup ## try what is promised as often as is promised (hours); `make soak SOAK="tampering --times 500"` for one
	@$(BIN)/python -m soak $(SOAK)

fuzz: setup ## let every collector look at 100,000 spoiled recordings; FUZZ="--times 1000 --seed 7" for others
	@$(BIN)/python -m soak recordings $(FUZZ)

conformance: setup ## ask AYA's MCP server what the protocol's own suite and inspector ask (needs npm); writes docs/conformance.md
	@$(BIN)/python -m conformance

lint: setup ## style, borders between modules, and no URL in lock files
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-cache | tail -n 2
	@! grep -n '://' requirements*.lock

types: setup ## strict types
	@$(BIN)/mypy --no-error-summary

docs: setup ## print the generated docs from the code; `make docs CHECK=1` only compares
	@$(BIN)/python docs/generate.py $(if $(CHECK),--check)

lock: setup ## renew the lock files after a change of dependencies in pyproject.toml
	@$(UV) pip compile pyproject.toml $(LOCK) -o requirements.lock
	@$(UV) pip compile pyproject.toml --group dev $(LOCK) -o requirements-dev.lock
	@echo uv | $(UV) pip compile - $(LOCK) -o requirements-uv.lock

LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --upgrade

clean: ## remove what was built here; the data in AYA_HOME stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help up setup test lint types docs lock clean bench soak fuzz conformance
