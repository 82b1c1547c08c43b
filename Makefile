# make demo     set up, load the demonstration, run its main job, serve it on http://127.0.0.1:8000 (SERVE=0 ends after the pack)
# make test     set up with the tests' peers, then every test   (DB=postgresql: the database tests on a PostgreSQL of their own)
# make check    format, lint, types, imports, dependencies
# make record   our own design record (docs/record), by every rule that files can answer, with the tests that carry its ids
# make bench    the budgets, written to var/bench.json
# make serve    the web service and its worker
# make lock     pin every package anew in requirements.lock and package-lock.json (needs uv and npm; UPGRADE=1 takes the newest)

PYTHON ?= python3
SERVE ?= 1
DB ?= sqlite
ARGS ?=
# One more than cores: many a test waits for a process or a browser.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 1); test $$n -gt 3 && echo 4 || echo $$((n + 1)))
BIN := .venv/bin
SOURCES := app core dataflows engine qms validation scripts tests migrations

export PYTHONDONTWRITEBYTECODE ?= 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests demo test check record bench serve lock

help:
	@sed -n 's/^# make/make/p' Makefile

setup:
	@$(PYTHON) scripts/setup.py

setup-tests:
	@$(PYTHON) scripts/setup.py --tests

demo: setup
	@$(BIN)/fiducial demo $(if $(filter 0,$(SERVE)),--no-serve)

serve: setup
	@$(BIN)/fiducial serve

test: setup-tests
ifeq ($(DB),postgresql)
	@$(BIN)/python scripts/postgres.py $(BIN)/pytest -m database $(ARGS)
else
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)
endif

check: setup-tests
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/deptry .

# Left out are the tests about markers: the ids in their texts are examples.
record: setup-tests
	@$(BIN)/fiducial check docs/record --code tests \
	   --leave-out tests/qms/repositories/test_markers.py --leave-out tests/qms/repositories/test_marking.py \
	   --leave-out tests/qms/results/test_importing.py --leave-out tests/qms/results/test_real_tools.py \
	   --leave-out tests/test_own_record.py

bench: setup-tests
	@$(BIN)/python -m tests.benchmarks $(ARGS)

# Keeps every version that still fits; UPGRADE=1 takes the newest.
lock:
	@cp requirements.lock requirements.lock.new
	@uv pip compile pyproject.toml --group dev --generate-hashes --universal --python-version 3.11 --no-header --quiet \
	   $(if $(UPGRADE),--upgrade) --output-file requirements.lock.new
	@{ echo "# Every package of Fiducial and of its tests, pinned and hashed. Written by \`make lock\`; not edited by hand."; \
	   cat requirements.lock.new; } > requirements.lock && rm requirements.lock.new
	@npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
