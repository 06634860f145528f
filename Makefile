# Everything runs in a virtual environment of its own, from pinned and hashed packages. A lock is
# complete: installing it resolves nothing, so it installs the same tomorrow, by any pip.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := pip install --quiet --disable-pip-version-check --no-deps --require-hashes

# What is installed: what `make run` needs, and what developers need beside it.
RUN := $(VENV)/.run
DEV := $(VENV)/.dev

.DEFAULT_GOAL := help
.PHONY: help install run test test-slow coverage clients schema crash fuzz mutants bench peers screenshots lint format openapi lint-openapi lint-workflows docs docs-reference docs-serve audit sbom image requirements locks clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(BIN)/python:
	@command -v $(PYTHON) > /dev/null || { echo 'Stuff needs Python 3.11 or newer. Install it, or name it: make PYTHON=/path/to/python run' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Stuff needs Python 3.11 or newer; $(PYTHON) is %d.%d. Install a newer one, and name it: make PYTHON=python3.11 run" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo 'Stuff needs the venv module of Python. Install it (Debian, Ubuntu: apt install python3-venv).' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# Older pips take twice as long to find what the locks name.
	$(BIN)/$(PIP_INSTALL) -r requirements/pip.txt

# The locks below include the build backend, which installs this package for editing.
$(RUN): requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/$(PIP_INSTALL) --no-compile -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt $(RUN)
	$(BIN)/$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

install: $(DEV) ## Create the virtual environment, with the developers' tools

run: $(RUN) ## Start the store on the embedded engine, data in ./data (PORT=9000 for another port)
	$(BIN)/stuff serve $(if $(PORT),--port $(PORT))

# Idle processes take tests over from busy ones, so that slow tests do not end the run alone.
PYTEST := $(BIN)/pytest --dist worksteal --maxprocesses 8
# The tests wait at least as long as they work: two processes per core.
WORKERS = -n $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
# Measuring coverage takes half as long again, so that only `make coverage` does it.
COVER := --cov --cov-report=

test: $(DEV) ## Run the fast tests (STUFF_TEST_MONGODB_URI=... for another engine)
	$(PYTEST) $(WORKERS)

test-slow: $(DEV) ## Run the slow tests: outages, kills, restarts, several processes, a browser
	$(PYTEST) $(WORKERS) tests/slow

coverage: $(DEV) ## Run the tests, fast and slow, and check what they cover
	$(PYTEST) $(WORKERS) $(COVER)
	$(PYTEST) $(WORKERS) tests/slow $(COVER) --cov-append
	$(BIN)/coverage report --fail-under=95

bench: $(DEV) ## Measure it, side by side with the forty lines of aiohttp and Motor (needs wrk; BENCH="connections --turns 1", ENGINE_URI=mongodb://... for another engine)
	$(BIN)/$(PIP_INSTALL) -r requirements/bench.txt
	$(BIN)/python -m bench bench $(BENCH) $(if $(ENGINE_URI),--engine-uri '$(ENGINE_URI)')

peers: $(DEV) ## Install other servers beside, which `make bench BENCH=peers` measures too
	$(PYTHON) -m venv $(VENV)/peers
	$(VENV)/peers/bin/$(PIP_INSTALL) -r requirements/peers.txt

screenshots: $(DEV) ## Make the pictures in the README (needs chromium)
	$(BIN)/python -m examples.screenshots

clients: $(DEV) ## Generate clients in seven languages and run the same stories with each (CLIENTS="rust php" for some)
	$(PYTHON) -m venv $(VENV)/clients
	$(VENV)/clients/bin/$(PIP_INSTALL) -r requirements/clients.txt
	$(BIN)/python -m tests.trials.clients $(CLIENTS)
	$(if $(CLIENTS),,$(BIN)/python -m tests.trials.shop)

schema: $(DEV) ## Try every operation with thousands of requests, good and bad (SCHEMA="--examples 500")
	$(PYTHON) -m venv $(VENV)/schema
	$(VENV)/schema/bin/$(PIP_INSTALL) -r requirements/schema.txt
	$(BIN)/python -m tests.trials.schema $(SCHEMA)

crash: $(DEV) ## Kill processes and have the database fail at random, and check that nothing is lost (ROUNDS=100 CRASH="--seed 1")
	$(BIN)/python -m tests.trials.crash --rounds $(or $(ROUNDS),20) $(CRASH)
	$(BIN)/python -m tests.trials.crash --plant $(CRASH)

fuzz: $(DEV) ## Send hostile bytes, and try random patterns (FUZZ="--cases 50000 --seed 1")
	$(BIN)/python -m tests.trials.patterns
	$(BIN)/python -m tests.trials.fuzz $(FUZZ)

mutants: $(DEV) ## Change the code in places, and see whether the tests find it (MUTANTS=200, 20 minutes)
	$(PYTHON) -m venv $(VENV)/mutants
	$(VENV)/mutants/bin/$(PIP_INSTALL) -r requirements/dev.txt
	$(VENV)/mutants/bin/$(PIP_INSTALL) -r requirements/mutants.txt
	$(BIN)/python -m tests.trials.mutants --count $(or $(MUTANTS),200)

lint: $(DEV) ## Check style, imports, types and compose.yaml
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml

format: $(DEV) ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

openapi: $(DEV) ## Write openapi.json
	$(BIN)/stuff openapi openapi.json

lint-openapi: $(DEV) ## Check openapi.json (needs Node.js)
	$(BIN)/openapi-spec-validator openapi.json
	npx --yes @stoplight/spectral-cli@6.16.3 lint openapi.json --ruleset .spectral.yaml --fail-severity hint

lint-workflows: ## Check the workflows of GitHub Actions (needs Go)
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

docs-reference: $(DEV) ## Write docs/reference/, which is made from the code
	$(BIN)/python -m docs._reference

docs: ## Build the documentation into site/, and check its links and the manifests of Kubernetes
	$(PYTHON) -m venv $(VENV)/docs
	$(VENV)/docs/bin/$(PIP_INSTALL) -r requirements/docs.txt
	$(VENV)/docs/bin/python .ci/guide
	for manifest in deploy/kubernetes/*.yaml; do $(VENV)/docs/bin/kubernetes-validate --strict --quiet $$manifest || exit; done
	$(MKDOCS) build --strict  # not --quiet, which would hide the warnings from --strict

docs-serve: docs ## Show the documentation on port 8001, as it is written (PORT=9001 for another port)
	$(MKDOCS) serve --dev-addr 127.0.0.1:$(or $(PORT),8001)

MKDOCS := NO_MKDOCS_2_WARNING=1 $(VENV)/docs/bin/mkdocs

audit: $(DEV) ## Look for known vulnerabilities in what the service is made of (asks an advisory database)
	$(BIN)/$(PIP_INSTALL) -r requirements/audit.txt
	.ci/audit $(AUDIT)

sbom: $(DEV) ## Write sbom.json: what the service is made of (CycloneDX)
	$(BIN)/$(PIP_INSTALL) -r requirements/audit.txt
	$(BIN)/cyclonedx-py requirements requirements/image.txt --pyproject pyproject.toml --output-reproducible --output-file sbom.json

image: ## Build the container image with buildah on a base of debootstrap, and run it (needs root)
	.ci/image

requirements: $(DEV) ## Pin the newest versions, with hashes
	$(PIN) --extra jwt --extra tracing --output-file requirements/image.txt pyproject.toml
	$(PIN) --extra embedded --build-deps-for editable --constraint requirements/image.txt --output-file requirements/run.txt pyproject.toml
	mkdir -p build
	for group in $(DEPENDENCY_GROUPS); do $(GROUP) $$group > build/$$group.in; done
	$(PIN) --extra embedded --extra jwt --extra tracing --constraint requirements/image.txt --constraint requirements/run.txt --output-file requirements/dev.txt pyproject.toml build/dev.in build/examples.in
	$(PIN) --constraint requirements/dev.txt --output-file requirements/bench.txt pyproject.toml build/bench.in
	$(PIN) --constraint requirements/dev.txt --output-file requirements/audit.txt pyproject.toml build/audit.in
	$(PIN) --output-file requirements/pip.txt requirements/pip.in
	$(PIN) --output-file requirements/clients.txt requirements/clients.in
	$(PIN) --output-file requirements/docs.txt requirements/docs.in
	$(PIN) --output-file requirements/schema.txt requirements/schema.in
	$(PIN) --constraint requirements/dev.txt --output-file requirements/mutants.txt requirements/mutants.in
	$(PIN) --output-file requirements/peers.txt requirements/peers.in

# pip-compile knows no groups of dependencies (PEP 735).
DEPENDENCY_GROUPS := dev examples bench audit
GROUP := $(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")'

PIN := $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe --strip-extras \
	--no-header --no-emit-index-url --no-emit-find-links

locks: $(RUN) ## Prove that each lock is complete (LOCKS="--pip 23.2", or "--wheels" for every Python)
	$(BIN)/python .ci/locks $(LOCKS)

clean: ## Remove everything that was made, but the data
	rm -rf $(VENV) .coverage* htmlcov build dist .hypothesis .*_cache
