# Everything runs in a virtual environment of its own, from pinned and hashed packages.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test clients schema crash fuzz mutants bench screenshots lint format openapi lint-openapi audit sbom image requirements clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

install: $(INSTALLED) ## Create the virtual environment

$(INSTALLED): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stuff needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

run: $(INSTALLED) ## Start the store on the embedded engine, data in ./data
	$(BIN)/stuff serve

test: $(INSTALLED) ## Run the tests (STUFF_TEST_MONGODB_URI=... for another engine)
	$(BIN)/pytest -n auto --maxprocesses 8 --cov --cov-report=term --cov-fail-under=95

bench: $(INSTALLED) ## Measure it, side by side with the original (needs wrk; BENCH="connections --turns 1")
	$(BIN)/pip install --quiet --require-hashes -r requirements-bench.txt
	$(BIN)/python -m bench bench $(BENCH)

screenshots: $(INSTALLED) ## Make the pictures in the README (needs chromium)
	$(BIN)/python -m examples.screenshots

clients: $(INSTALLED) ## Generate clients and have them live through a story (needs node, go, java, maven; CLIENTS="go java")
	$(PYTHON) -m venv $(VENV)/clients
	$(VENV)/clients/bin/pip install --quiet --require-hashes -r tests/trials/clients/requirements.txt
	$(BIN)/python -m tests.trials.clients $(CLIENTS)

schema: $(INSTALLED) ## Try every operation with thousands of requests, good and bad (SCHEMA="--examples 500")
	$(PYTHON) -m venv $(VENV)/schema
	$(VENV)/schema/bin/pip install --quiet --require-hashes -r tests/trials/schema/requirements.txt
	$(BIN)/python -m tests.trials.schema $(SCHEMA)

crash: $(INSTALLED) ## Kill processes at random, and check that nothing is lost (ROUNDS=100 CRASH="--seed 1")
	$(BIN)/python -m tests.trials.crash --kills $(or $(ROUNDS),20) $(CRASH)
	$(BIN)/python -m tests.trials.crash --plant $(CRASH)

fuzz: $(INSTALLED) ## Send hostile bytes (FUZZ="--cases 50000 --seed 1")
	$(BIN)/python -m tests.trials.fuzz $(FUZZ)

mutants: $(INSTALLED) ## Change the code here and there, and see whether the tests find it (takes an hour)
	$(PYTHON) -m venv $(VENV)/mutants
	$(VENV)/mutants/bin/pip install --quiet --require-hashes -r requirements-dev.txt
	$(VENV)/mutants/bin/pip install --quiet --require-hashes -r tests/trials/mutants/requirements.txt
	$(BIN)/python -m tests.trials.mutants

lint: $(INSTALLED) ## Check style, imports, types and compose.yaml
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

openapi: $(INSTALLED) ## Write openapi.json
	$(BIN)/stuff openapi openapi.json

lint-openapi: $(INSTALLED) ## Check openapi.json (needs Node.js)
	$(BIN)/openapi-spec-validator openapi.json
	npx --yes @stoplight/spectral-cli@6.16.3 lint openapi.json --ruleset .spectral.yaml --fail-severity hint

audit: $(INSTALLED) ## Look for known vulnerabilities in what the service is made of (asks an advisory database)
	$(BIN)/pip install --quiet --require-hashes -r requirements-audit.txt
	.ci/audit

sbom: $(INSTALLED) ## Write sbom.json: what the service is made of (CycloneDX)
	$(BIN)/pip install --quiet --require-hashes -r requirements-audit.txt
	$(BIN)/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible --output-file sbom.json

image: ## Build the container image with buildah on a base of debootstrap, and run it (needs root)
	.ci/image

requirements: $(INSTALLED) ## Pin the newest versions, with hashes
	$(BIN)/pip-compile $(PIN) --extra jwt --extra tracing --output-file requirements.txt pyproject.toml
	$(BIN)/pip-compile $(PIN) --extra dev --extra embedded --extra examples --extra jwt --extra tracing --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile $(PIN) --extra bench --constraint requirements-dev.txt --output-file requirements-bench.txt pyproject.toml
	$(BIN)/pip-compile $(PIN) --extra audit --constraint requirements-dev.txt --output-file requirements-audit.txt pyproject.toml
	$(BIN)/pip-compile $(PIN) --output-file tests/trials/clients/requirements.txt tests/trials/clients/requirements.in
	$(BIN)/pip-compile $(PIN) --output-file tests/trials/schema/requirements.txt tests/trials/schema/requirements.in
	$(BIN)/pip-compile $(PIN) --constraint requirements-dev.txt --output-file tests/trials/mutants/requirements.txt tests/trials/mutants/requirements.in

PIN := --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-emit-index-url --no-emit-find-links

clean: ## Remove everything that was made, but the data
	rm -rf $(VENV) .coverage* htmlcov build dist .hypothesis .*_cache
