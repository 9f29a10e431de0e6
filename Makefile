# Every target but `conformance` works offline once `make install` has run; none needs Node.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help demo install format lint types layers test hostile conformance postgres bench serve check

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "%-10s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

install: $(VENV)/installed ## Make the environment in .venv

demo: install ## Deploy the sample apps into a fresh state, run them, show every verdict
	$(BIN)/python -m sample_apps.demo

format: install ## Rewrite the code in the house format
	$(BIN)/ruff format runtime tests sample_apps benchmarks conformance
	$(BIN)/ruff check --fix-only --quiet runtime tests sample_apps benchmarks conformance

lint: install ## Check format and lint rules
	$(BIN)/ruff format --check runtime tests sample_apps benchmarks conformance
	$(BIN)/ruff check runtime tests sample_apps benchmarks conformance

types: install ## Check types (mypy, strict)
	$(BIN)/mypy

layers: install ## Check who imports whom
	$(BIN)/lint-imports

test: install ## Run the tests; T=path K=pattern narrows them
	$(BIN)/pytest $(T) $(if $(K),-k '$(K)' -x) $(if $(T)$(K),,-n auto)

hostile: install ## Run only the attacks
	$(BIN)/pytest -m hostile -n auto

conformance: install ## Run the real clients, and walk the pages in Chromium; all but those of PyPI need Node
	$(BIN)/python -m conformance.environment
	$(BIN)/pytest conformance -n auto --dist loadfile

postgres: install ## Run the tests with a PostgreSQL server; needs its programs, installs the driver
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[postgres]'
	$(BIN)/pytest -m postgres tests/durability

bench: install ## Measure the budgets as ratios in one run; writes benchmarks/results.json
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.refusals

serve: install ## Serve the emulated Jira on http://127.0.0.1:8080
	$(BIN)/firebrick serve --port 8080

check: lint types layers test ## The gate: format, lint, types, layers, tests
