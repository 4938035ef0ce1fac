# `make serve` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
export PYTHON
ifeq ($(shell command -v $(PYTHON)),)
$(error $(PYTHON) is missing. Install Python 3.11 or newer, or run make with PYTHON=python3.12 if it has that name)
endif
BIN := .venv/bin
ALONE := $(PYTHON) .ci/alone
INNER := $(ALONE) $(MAKE) --no-print-directory --silent
# Pages contain the port, so a server on another PORT has its own site, and doesn't rebuild the
# first one's.
SITE := $(if $(filter-out 8000,$(PORT)),var/sites/$(PORT),site)
# The folder of tests' databases: in memory if possible, because a disk waits at each commit.
IN_MEMORY := $(shell [ "$$(df -k /dev/shm 2>/dev/null | awk 'NR == 2 { print $$4 }')" -ge 4000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)

.PHONY: help setup setup-tests tools build site-alone serve preview demo lint test test-all coverage soak check pictures bench lock audit sbom secrets clean
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-11s %s\n", $$1, $$2 }'

# Two makes in one folder take turns writing to .venv, var and site.
setup: ## Install what serving needs, from the pinned requirements
	@$(INNER) .venv/ready
setup-tests: ## Install what the tests need, too
	@$(INNER) .venv/ready-for-tests
build: ## Build the site; what has not changed comes from the last build
	@$(INNER) site-alone

.venv/ready: requirements-site.txt pyproject.toml
	@.ci/environment site
	@rm -f .venv/ready-for-tests; touch $@

.venv/ready-for-tests: requirements-test.txt .venv/ready
	@.ci/environment test
	@touch $@

# Built each time, because a source may be deleted, or be replaced by an older one.
site-alone: .venv/ready
	@echo "Building the site"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE).new \
		|| { $(BIN)/python -m lead_service.publishing.faults.config_faults; exit 1; }
	@rm -rf $(SITE).old; [ ! -e $(SITE) ] || mv $(SITE) $(SITE).old; mv $(SITE).new $(SITE); rm -rf $(SITE).old
	@touch $(SITE)/.built

serve: build ## Serve everything on http://127.0.0.1:8000
	@SITE_DIR=$${SITE_DIR:-$(SITE)} exec $(BIN)/lead-service serve

preview: setup ## Show the site while you write, drafts included, and rebuild it on each save
	@SITE_DIR=$${SITE_DIR:-var/preview/site} NO_MKDOCS_2_WARNING=1 exec $(BIN)/python -m lead_service.publishing.preview

# An existing site stays as it is: a running server may be showing it.
demo: setup ## Fill the local database with made-up data, to try the desk
	@[ -e $(SITE)/200.html ] || $(MAKE) --no-print-directory build
	@SITE_DIR=$${SITE_DIR:-$(SITE)} $(BIN)/lead-service demo

tools:
	@.ci/tools

lint: setup-tests ## Check style, types and import contracts
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-cache >var/lint 2>&1 || { cat var/lint; exit 1; }
	@$(BIN)/mypy --no-error-summary

# Hundreds of processes start, which would each compile the program without bytecode files.
# One worker more than processors: some wait for a browser or a database.
WORKERS = $$(($$(getconf _NPROCESSORS_ONLN) + 1))
PYTEST = $(IN_MEMORY) PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q -n $(WORKERS)
test: tools setup-tests ## Run the tests
	@$(PYTEST)
test-all: tools setup-tests ## Run everything, on both databases and at every width
	@$(PYTEST) --all
coverage: tools setup-tests ## Run the tests and report which lines and branches they reach
	@$(PYTEST) --cov --cov-report=html:var/coverage --cov-report=term:skip-covered

soak: setup-tests ## Stress the service for an hour (kills, full disks) and count lost data
	@$(BIN)/python -m tests.faults

check: build ## Check settings, site, database and email of this machine
	@SITE_DIR=$${SITE_DIR:-$(SITE)} $(BIN)/lead-service check

pictures: tools setup-tests ## Retake the screenshots in the README and handbook
	@$(BIN)/python -m tests.support.pictures

bench: setup-tests ## Run the benchmarks and print ratios
	@$(BIN)/python -m tests.bench

COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header
lock: setup-tests ## Update the pinned dependencies, with hashes
	@$(COMPILE) --upgrade --all-extras pyproject.toml -o requirements-test.txt
	@$(COMPILE) -c requirements-test.txt --extra site pyproject.toml -o requirements-site.txt
	@$(COMPILE) -c requirements-test.txt pyproject.toml -o requirements.txt

audit: setup-tests ## Look for known vulnerabilities in the dependencies
	@$(BIN)/uv tool run pip-audit --require-hashes --disable-pip -r requirements-test.txt

sbom: setup-tests ## Write var/sbom.json: what the service is made of (CycloneDX)
	@$(BIN)/uv tool run --from cyclonedx-bom cyclonedx-py requirements requirements.txt -o var/sbom.json

secrets: setup-tests ## Look for keys and passwords in the repository
	@$(BIN)/python -m tests.support.secret_scan

clean: ## Remove generated files, except var/ (your data)
	@rm -rf .venv .cache .hypothesis .*_cache site site.* var/sites
