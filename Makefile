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
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock -r requirements-uv.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help up setup
