# chargewatch: `make demo` to see it, `make test` to trust it, `make help` for the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests run in a random order, so that none rests on another; a landing runs in one order that can be repeated.
SHUFFLE := $(if $(CI),--randomly-seed=1)

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types layers servers bench soak clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: pyproject.toml constraints.txt
	@echo "Installing into $(VENV); the first time takes a minute or two."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(VENV)/.runtime ## make .venv, install, watch a live charging network
	$(BIN)/chargewatch demo

test: $(VENV)/.dev check ## make .venv, install, run lint, types, layers and the whole test suite
	$(BIN)/pytest -n 2 --dist loadfile $(SHUFFLE)

check: $(VENV)/.dev lint types layers ## ruff, mypy strict, import-linter

lint: $(VENV)/.dev ## ruff
	$(BIN)/ruff check .

types: $(VENV)/.dev ## mypy strict
	$(BIN)/mypy

layers: $(VENV)/.dev ## import-linter
	$(BIN)/lint-imports --no-cache

servers: ## install the servers that contract tests use, from Debian's packages (needs root)
	sh .ci/servers

bench: $(VENV)/.dev ## run the benchmarks, one JSON line each
	$(BIN)/pytest tests/benchmarks -m benchmark -p no:randomly -s -q

soak: $(VENV)/.dev ## run the platform under mixed load for SOAK_MINUTES (default 10) and check that nothing leaks or is lost
	$(BIN)/python -m tests.benchmarks.soak --minutes $${SOAK_MINUTES:-10}

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
