# `make serve` and `make test` are all that a fresh machine needs.
PYTHON ?= python3
BIN := .venv/bin
SITE_SOURCES := $(shell find docs site_overrides mkdocs.yml lead_service/assess/framework.py \
	lead_service/headers.py lead_service/assets.py lead_service/templates/signature.html -type f -not -name '*.pyc')
# What mkdocs.yml reads from the environment: another value is another site.
SITE_SETTINGS := PUBLIC_URL PRACTICE_NAME PRACTICE_LEGAL_NAME PRACTICE_POSTAL_ADDRESS \
	PRACTICE_EMAIL PRACTICE_PHONE PRACTICE_AUTHOR RETENTION_DAYS BACKUP_DAYS
# Where tests put their databases: into memory, where there is some, since a disk waits at each commit.
IN_MEMORY := $(shell [ "$$(df --output=avail --block-size=G /dev/shm 2>/dev/null | tr -dc 0-9)" -ge 4 ] 2>/dev/null && echo TMPDIR=/dev/shm)

.PHONY: help setup build serve test soak check bench lock audit secrets clean always
.DEFAULT_GOAL := help

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: .venv/ready ## Make the environment from the pinned requirements
.venv/ready: requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing; install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is older than 3.11; set PYTHON=python3.12, say"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: this Python cannot make environments; apt-get install python3-venv"; exit 1; }
	@echo "Setting up .venv (once, about a minute)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

build: site/.built ## Build the site, if its sources or its settings changed
site/.built: .venv/ready $(SITE_SOURCES) var/site-settings
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@touch $@

# Looked at every time, and written only when it differs, so that nothing else is made anew.
var/site-settings: always
	@umask 077; mkdir -p var; \
	for name in $(SITE_SETTINGS); do printf '%s=%s\n' $$name "$$(printenv $$name)"; done >$@.$$$$; \
	if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

serve: build ## Serve everything on http://127.0.0.1:8000
	@exec $(BIN)/lead-service serve

# Three workers, since they wait for browsers and processes; in the order of the folders, because
# the files that wait longest are in the first.
test: setup ## Run every test
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@$(BIN)/lint-imports --no-cache >.lint 2>&1 || { cat .lint; rm .lint; exit 1; }; rm .lint
	@$(IN_MEMORY) $(BIN)/pytest -q -n 3 --no-loadscope-reorder

soak: setup ## Kill, fill, lock and stop it for an hour, and count what was lost
	@$(BIN)/python -m tests.faults

check: build ## Check settings, site, database and mail of this machine
	@$(BIN)/lead-service check

bench: setup ## Measure, as ratios in one run
	@$(BIN)/python -m tests.bench

lock: setup ## Pin the dependencies anew, with hashes
	@$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
		--upgrade --all-extras pyproject.toml -o requirements-dev.txt
	@$(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
		-c requirements-dev.txt pyproject.toml -o requirements.txt

audit: setup ## Ask for known faults in the dependencies
	@$(BIN)/pip-audit --require-hashes --disable-pip -r requirements-dev.txt

secrets: setup ## Look for keys and passwords in what is checked in
	@$(BIN)/python -m tests.no_secrets

clean: ## Remove what the other commands made, but for var/ (your data)
	@rm -rf .venv site
