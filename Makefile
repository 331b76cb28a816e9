# Everything a learner or a contributor runs. `make` alone lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
NBVAL  := --nbval --nbval-current-env --nbval-cell-timeout=60
# A file, or a notebook, stays in one process: its tests share what they have computed.
SPREAD := --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

.PHONY: help lab test check refresh bench pythons clean
.DEFAULT_GOAL := help

## help: list the targets
help:
	@sed -n 's/^## \([a-z]*\): /  make \1|/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'

## lab: open the notebooks in JupyterLab, as copies of your own in my-notebooks/
lab: $(VENV)/lab.stamp
	@$(BIN)/python -m kvmlab lab

## test: everything that must hold: lint, types, tests, notebooks, browser
# One pytest run, so that its last line speaks for all of it; what takes longest, the browser, comes first.
test: check
	@tools/chromium.sh
	$(BIN)/python -m pytest $(SPREAD) $(NBVAL) tests notebooks

## check: lint and types only
check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/mypy

## refresh: run the notebooks again and save what they print
refresh: $(VENV)/test.stamp
	$(BIN)/python tools/pictures.py
	$(BIN)/python tools/refresh.py
	$(BIN)/python tools/lessons.py

## bench: measure the explorer and the clock
bench: $(VENV)/test.stamp
	$(BIN)/python tools/bench.py

## pythons: the unit tests, without Jupyter, under every Python 3.10 to 3.13 found
pythons:
	@tools/pythons.sh

## clean: remove the environment and the caches (never my-notebooks/)
clean:
	rm -rf $(VENV) build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# An environment has one stamp for each extra put into it: a learner need not download what only the tests use.
$(VENV)/%.stamp: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

# Debian has python3 without ensurepip; say what to install instead of failing halfway.
$(BIN)/python:
	@$(PYTHON) -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
	  { echo "kvmlab needs Python 3.10 or newer with its venv module: install the Debian package python3-venv."; exit 1; }
	$(PYTHON) -m venv $(VENV)
