# Every target sets up what it needs first; nothing has to be installed by hand but make, and Python 3.11.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp-
export AUDIT_INSTANCE_DIR ?= $(CURDIR)/instance/demo
export AUDIT_SECURE_COOKIES ?= false
PORT ?= 8000

.PHONY: help demo serve test test-scale check format translations lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*## "} {printf "  make %-14s %s\n", $$1, $$2}'

demo: $(STAMP)run ## Run the main job on the sample data, from nothing to PDF reports
	$(BIN)/audit-service demo

serve: $(STAMP)run ## Serve the pages of the demo instance and run a worker (PORT=8000)
	$(BIN)/audit-service serve --port $(PORT)

test: $(STAMP)test check ## Run all tests: real database, speech weights, PDF and browser
	$(BIN)/python -m pytest -m "not scale" $(ARGS)

test-scale: $(STAMP)test ## Run the slow load and crash tests
	$(BIN)/python -m pytest -m scale $(ARGS)

check: $(STAMP)test ## Lint, format, types, import directions, translations, rule packs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/web/test_translations.py
	$(BIN)/audit-service rules lint

format: $(STAMP)test ## Format the code and mend what the linter can mend
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

translations: $(STAMP)test ## Collect the texts to translate and update the catalogues
	$(BIN)/pybabel extract -F babel.cfg -k lazy_gettext -o audit_service/translations/messages.pot --no-location .
	$(BIN)/pybabel update -i audit_service/translations/messages.pot -d audit_service/translations --no-fuzzy-matching --ignore-obsolete

lock: $(BIN)/python ## Pin and hash the dependencies anew
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-emit-index-url requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-emit-index-url requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 --no-emit-index-url benchmarks/requirements-speech.in -o benchmarks/requirements-speech.txt

clean: ## Remove the virtual environment and the demo instance
	rm -rf $(VENV) instance/demo

# Set-up. Each step leaves a stamp in the virtual environment, so that it runs again only when its causes change.
COMPILED := setup.py $(wildcard audit_service/detection/_*.pyx audit_service/detection/_*.pxd)
CATALOGUES := $(wildcard audit_service/translations/*/LC_MESSAGES/messages.po)
PIP := $(BIN)/pip --quiet --disable-pip-version-check install

$(BIN)/python:
	bin/install-system-packages run
	$(PYTHON) -m venv $(VENV)

$(STAMP)run: requirements.txt pyproject.toml bin/install-system-packages $(COMPILED) $(CATALOGUES) | $(BIN)/python
	bin/install-system-packages run
	$(PIP) --require-hashes -r requirements.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/pybabel -q compile -d audit_service/translations
	@touch $@

$(STAMP)test: $(STAMP)run requirements-dev.txt requirements-openai.txt
	bin/install-system-packages test
	$(PIP) --require-hashes -r requirements-dev.txt
	$(PIP) -r requirements-openai.txt
	@touch $@
