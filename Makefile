# `make run` and `make test` are all a newcomer needs. Everything stays inside this folder.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
PORT ?= 8000
SANDBOX ?= 1
with-sandbox := $(if $(filter-out 0 no off false,$(SANDBOX)),yes)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run keys test lint format types check migrations deploy lock audit messages clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-16s %s\n", $$1, $$2}'

run: $(VENV)/.installed keys ## Start poller, admin and sandbox (SANDBOX=0: without it; PORT=8001)
	@exec $(BIN)/python manage.py runlocal --port $(PORT) $(if $(with-sandbox),,--no-sandbox)

keys: $(VENV)/.installed
	@$(BIN)/python -m odoopoller.make_env $(if $(with-sandbox),--sandbox)

test: $(VENV)/.installed-dev ## Run every test; what needs a missing service is skipped by name
	@$(BIN)/python -m pytest -q -n 2 $(ARGS)

lint: $(VENV)/.installed-dev ## Check style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.installed-dev ## Mend style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: $(VENV)/.installed-dev ## Check types
	@$(check-environment) $(BIN)/mypy .

check: lint types migrations deploy ## Check style, types, migrations and production settings

migrations: $(VENV)/.installed-dev
	@$(check-environment) $(BIN)/python manage.py makemigrations --check --dry-run

deploy: $(VENV)/.installed-dev
	@$(check-environment) $(BIN)/python manage.py check --deploy --fail-level WARNING

# What production has, with keys that are good for nothing else.
check-environment := env ENV_FILE=/dev/null DEBUG=off POLLER_BEHIND_HTTPS=on POLLER_PROXIES=1 \
	ALLOWED_HOSTS=poller.example.com SECRET_KEY=only-for-checks-0123456789-abcdefghij-0123456789-klmnopqrst \
	POLLER_ENCRYPTION_KEY=b25seS1mb3ItY2hlY2tzLW9ubHktZm9yLWNoZWNrcy0=

lock: $(VENV)/.installed-dev ## Write requirements*.txt anew from requirements*.in
	@test -x $(BIN)/uv || $(PIP) uv
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes $(ARGS) \
		requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes $(ARGS) \
		requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes $(ARGS) \
		requirements-audit.in -o requirements-audit.txt

audit: $(VENV)-audit/.installed ## Look for known vulnerabilities; says so when it could not check
	@$(VENV)-audit/bin/python .ci/audit.py $(VENV)-audit/bin/pip-audit requirements.txt

messages: $(VENV)/.installed-dev ## Collect texts for translation and compile the translations
	@command -v msgfmt >/dev/null || { echo "This needs GNU gettext (Debian: apt-get install gettext)." >&2; exit 1; }
	@$(check-environment) $(BIN)/python manage.py makemessages --locale es --no-obsolete --no-location \
		--ignore '.venv/*' --ignore 'tests/*' --ignore 'bench/*'
	@$(check-environment) $(BIN)/python manage.py compilemessages --ignore '.venv/*'

$(VENV)-audit/.installed: requirements-audit.txt
	@$(PYTHON) -m venv $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-audit.txt
	@touch $@

clean: ## Remove the environment and caches; data and keys stay
	rm -rf $(VENV) $(VENV)-audit .mypy_cache .ruff_cache .pytest_cache staticfiles
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. PYTHON=/path/to/python names one." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python's venv module is missing (Debian: apt-get install python3-venv)." >&2; exit 1; }

# A stamp newer than its list says that everything in it is installed.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	@echo "Installing (about a minute, once) ..."
	@$(PIP) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing with the tools for tests ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.installed
