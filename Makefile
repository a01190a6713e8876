# One command for each chore. Nothing needs to be set up first: Python 3.11 or newer, pip and make are enough.

.DEFAULT_GOAL := help
.PHONY: help up demo dev serve services test test-all fuzz bench chaos check format schema schema-check migrate graphiql clean

ready := .venv/.ready
bin := .venv/bin
BASE ?= HEAD~1
graphiql_source := graph/transports/graphiql/source
browser_packages := $(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard tests/browser/package-lock.json tests/clients/package-lock.json))

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: $(ready)  ## Run everything in one process, embedded; ARGS='--port N --data DIR' are passed on
	@$(bin)/pacemark up $(ARGS)

demo: $(ready)  ## See a site that grows slow be found out, in under two minutes; ARGS='--port N' are passed on
	@$(bin)/pacemark demo $(ARGS)

dev: $(ready)  ## The same, started again whenever the code changes
	@$(bin)/pacemark up --reload $(ARGS)

serve: $(ready)  ## Run the API alone, as in production (see .env.example)
	@$(bin)/pacemark serve $(ARGS)

services: $(ready)  ## Run PostgreSQL, NATS and Valkey from wheels, for trying and developing (their data is thrown away)
	@$(bin)/python -m tests.services $(ARGS)

test: $(ready)  ## Run the tests; they start PostgreSQL, NATS and Valkey by themselves
	$(bin)/pytest -m "not browser and not slow" -n 2 $(ARGS)

test-all: $(ready) $(browser_packages)  ## Run what `make test` leaves out: the tests that need Chromium, Node or npm, and slow ones
	$(bin)/pytest -m "browser or slow" $(ARGS)

fuzz: $(ready)  ## Compare both engines over generated operations, other ones each time; EXAMPLES=5000
	EXAMPLES=$(or $(EXAMPLES),5000) $(bin)/pytest tests/graph/execution/test_plans.py -m slow -s $(ARGS)

bench: $(ready)  ## Measure Pacemark beside other servers, into bench/results; ARGS='--workload lookup --peer apollo --quick'
	$(bin)/python -m bench.speed $(ARGS)

chaos: $(ready)  ## Kill, freeze and restart everything while audits run; ARGS='--seed N --audits N' (minutes)
	$(bin)/python -m tests.chaos $(ARGS)

check: $(ready)  ## Check format, lint, types and the order of the rooms
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/mypy
	$(bin)/lint-imports --no-logo

format: $(ready)  ## Format the code and mend what the linter can mend
	$(bin)/ruff format .
	$(bin)/ruff check --fix .

schema: $(ready)  ## Write schema.graphql anew from the code
	$(bin)/pacemark schema print > .schema.tmp && mv .schema.tmp schema.graphql || { rm -f .schema.tmp; exit 1; }

schema-check: $(ready)  ## Name what schema.graphql breaks since BASE=HEAD~1; what CHANGELOG.md owns up to may pass
	@if git cat-file -e "$(BASE):schema.graphql" 2>/dev/null; then \
	  git show "$(BASE):schema.graphql" | $(bin)/pacemark schema check - schema.graphql --acknowledged CHANGELOG.md $(ARGS); \
	else \
	  echo "Nothing was compared: there is no schema.graphql at $(BASE) here, as in a shallow clone."; \
	fi

migrate: $(ready)  ## Bring the database up to date
	@$(bin)/pacemark migrate $(ARGS)

graphiql:  ## Build the GraphiQL page that is committed and served (needs Node and npm)
	cd $(graphiql_source) && npm ci && npm run build

clean:  ## Remove the environment, caches and builds; data stays
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist tests/browser/node_modules tests/clients/node_modules bench/peers/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian's Python takes no packages from pip, so uv lies beside the environment when the machine has none.
$(ready): pyproject.toml
	@set -eu; \
	python=; \
	for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$each; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Pacemark needs Python 3.11 or newer, and none is on the PATH." >&2; exit 1; fi; \
	uv=uv; \
	if ! uv --version >/dev/null 2>&1; then \
	  uv=.uv/bin/uv; \
	  if [ ! -x $$uv ]; then \
	    echo "Fetching uv into .uv"; \
	    PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0 PIP_ROOT_USER_ACTION=ignore $$python -m pip install --quiet --disable-pip-version-check --upgrade --target .uv uv; \
	  fi; \
	fi; \
	echo "Setting up .venv"; \
	$$uv sync --quiet --python "$$(command -v $$python)"; \
	touch $@

$(browser_packages): %/node_modules/.package-lock.json: %/package-lock.json
	cd $* && npm ci
	touch $@
