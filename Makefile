# `make serve` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
export PYTHON
ifeq ($(shell command -v $(PYTHON)),)
$(error $(PYTHON) is missing. Install Python 3.11 or newer, or run make with PYTHON=python3.12 if it has that name)
endif
BIN := .venv/bin
ALONE := $(PYTHON) .ci/alone
INNER := $(ALONE) $(MAKE) --no-print-directory --silent
SITE_SOURCES := $(shell find docs site_overrides mkdocs.yml lead_service/publishing \
	lead_service/action_framework lead_service/assess/brief.yml lead_service/headers.py lead_service/formats.py \
	lead_service/static lead_service/own_files.py lead_service/palette.py lead_service/templates/signature.html \
	lead_service/templates/person.html lead_service/people.py lead_service/call_types.py lead_service/service_pages.py -type f -not -name '*.pyc')
# Settings that appear in the site's pages (settings.py, OF_THE_SITE): changing one rebuilds the site.
SITE_SETTINGS := PUBLIC_URL BIND_ADDRESS PORT PRACTICE_NAME PRACTICE_LEGAL_NAME PRACTICE_POSTAL_ADDRESS \
	PRACTICE_EMAIL PRACTICE_PHONE PRACTICE_COUNTRY PRACTICE_RESPONSIBLE PRACTICE_REGISTER \
	PRACTICE_VAT_ID RETENTION_DAYS BACKUP_DAYS
# Pages contain the port, so a server on another PORT has its own site, and doesn't rebuild the
# first one's.
SITE := $(if $(filter-out 8000,$(PORT)),var/sites/$(PORT),site)
SEEN_SETTINGS := var/site-settings-$(notdir $(SITE))
# The folder of tests' databases: in memory if possible, because a disk waits at each commit.
IN_MEMORY := $(shell [ "$$(df -k /dev/shm 2>/dev/null | awk 'NR == 2 { print $$4 }')" -ge 4000000 ] 2>/dev/null && echo TMPDIR=/dev/shm)

.PHONY: help setup setup-tests tools build serve preview demo lint test test-all coverage soak check pictures bench lock audit sbom secrets clean always
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-11s %s\n", $$1, $$2 }'

# Two makes in one folder take turns writing to .venv, var and site.
setup: ## Install what serving needs, from the pinned requirements
	@$(INNER) .venv/ready
setup-tests: ## Install what the tests need, too
	@$(INNER) .venv/ready-for-tests
build: ## Build the site, if its sources or its settings changed
	@$(INNER) $(SITE)/.built

.venv/ready: requirements-site.txt pyproject.toml
	@.ci/environment site
	@rm -f .venv/ready-for-tests; touch $@

.venv/ready-for-tests: requirements-test.txt .venv/ready
	@.ci/environment test
	@touch $@

$(SITE)/.built: .venv/ready $(SITE_SOURCES) $(SEEN_SETTINGS)
	@echo "Building the site"
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir $(SITE).new \
		|| { $(BIN)/python -m lead_service.publishing.faults.config_faults; exit 1; }
	@rm -rf $(SITE).old; [ ! -e $(SITE) ] || mv $(SITE) $(SITE).old; mv $(SITE).new $(SITE); rm -rf $(SITE).old
	@touch $@

# Checked every time, and written only if it differs, so that nothing is rebuilt without need.
$(SEEN_SETTINGS): always
	@umask 077; mkdir -p var; \
	for name in $(SITE_SETTINGS); do printf '%s=%s\n' $$name "$$(printenv $$name)"; done >$@.$$$$; \
	if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

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
