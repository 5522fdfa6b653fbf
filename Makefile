# make demo and make test need nothing but make and Python 3.11 or newer: what else they need they set up in .venv.
#
#   make demo    a workspace from the FinBench example, a Neo4j that holds it, flags, a report
#   make test    all tests, against a real local Neo4j; coverage at least 90 % by branch
#   make check   format, lint, types, imports, tests
#   make bench   timings beside a rival's, make soak: the long tests
#   make format  put the source in form, make lock: resolve the dependencies anew

SHELL  := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench soak format lock clean

PYTHON ?= python3
BIN    := .venv/bin
STAMP  := .venv/.installed
# uv from the path where there is one; else from a small environment of its own
UV     := $(or $(shell command -v uv 2>/dev/null),.venv/.uv/bin/uv)

help:
	@sed -n '1,/^$$/s/^# \{0,1\}//p' Makefile

setup: $(STAMP)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kgfraud needs Python 3.11 or newer; set PYTHON=/path/to/python3")'
	$(PYTHON) -m venv --without-pip .venv

.venv/.uv/bin/uv: | .venv/bin/python
	$(PYTHON) -m venv .venv/.uv
	.venv/.uv/bin/python -m pip install --quiet uv

$(STAMP): requirements.lock pyproject.toml | .venv/bin/python $(filter .venv/%,$(UV))
	VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	VIRTUAL_ENV=$(CURDIR)/.venv $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP)
	$(BIN)/kgfraud demo demo

# Each test that starts a program would else compile all that it imports, for four seconds.
unexport PYTHONDONTWRITEBYTECODE
# Two programs on two cores: a library's second thread only waits for the other program.
test soak: export OMP_NUM_THREADS := 1
test soak: export OPENBLAS_NUM_THREADS := 1

# A file's tests share what they set up, so a file stays with one process; tests/conftest.py puts the long files first.
BOTH := --numprocesses 2 --dist loadfile --no-loadscope-reorder

# The kernels' tests run twice: as plain Python, where coverage sees inside them, and compiled with all the others. Meanwhile Neo4j is fetched.
test: $(STAMP)
	$(BIN)/python -c 'from kg.stores.provision import provision; provision()' & \
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest $(BOTH) --quiet --cov --cov-report= tests/kg/algorithms tests/kg/test_loan_return.py \
	  tests/kg/test_guarantee_circle.py tests/loaders/test_readers.py tests/loaders/test_hostile_files.py tests/gnn/test_propagate.py; \
	wait
	$(BIN)/python -m pytest $(BOTH) --cov --cov-append --cov-fail-under=90

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(MAKE) test

bench: $(STAMP)
	$(BIN)/python scripts/benchmark.py
	$(BIN)/python scripts/city_benchmark.py
	$(BIN)/python scripts/ownership_benchmark.py
	$(BIN)/python scripts/contagion_benchmark.py
	$(BIN)/python scripts/rings_benchmark.py
	$(BIN)/python scripts/scores_benchmark.py

soak: $(STAMP)
	$(BIN)/python -m pytest -m soak
	$(BIN)/python scripts/score_soak.py
	$(BIN)/python scripts/score_tasks.py linked_party fraud_ring supply_chain_distress --companies 20000 --seeds 11 12 13 14 15

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: | .venv/bin/python $(filter .venv/%,$(UV))
	$(UV) pip compile --quiet --generate-hashes --no-emit-index-url --universal --custom-compile-command "make lock" \
	  --extra models --group dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf .venv .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
