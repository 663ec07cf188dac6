# One word runs everything. `make demo` and `make test` need nothing but Python 3.11 or newer.

.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; `make PYTHON=/path/to/python3.13 ...` takes another one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$python; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
EPIDEMIC := packages/epidemic
CODE := src tests benchmarks examples $(EPIDEMIC)
# A process more than there are processors, as tests also wait for programs, disks and clocks; the tests of a file
# stay together, and the files that take longest come first.
PARALLEL := -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile --no-loadscope-reorder
# The hundreds of programs that tests start compile no module twice, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-all clients check format clean

help:
	@echo "make demo      play the taxi story; the chart lands in demo/taxi.html"
	@echo "make test      run the quick tests"
	@echo "make test-all  run all tests; those of client programs need make clients before"
	@echo "make clients   install the client programs that the tests run against a server: sagemaker, the AWS CLI, dbt ..."
	@echo "make check     check format, style, types and the direction of imports"
	@echo "make format    format the code"
	@echo "make clean     remove everything that was made here"

demo: $(VENV)/demo.stamp
	$(BIN)/restframe demo taxi --out demo $(if $(DATA_FILE),--data-file $(DATA_FILE))

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow" $(PYTEST)

test-all: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST)

clients: $(VENV)/clients.stamp $(VENV)/sql-clients.stamp $(VENV)/dbt.stamp

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean:
	rm -rf $(VENV) demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks $(EPIDEMIC) -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf src/*.egg-info $(EPIDEMIC)/src/*.egg-info

# What is installed, by what it is for. A stamp is as old as the last installation of its kind.

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "restframe needs Python 3.11 or newer; install it, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python cannot make environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test.stamp: pyproject.toml $(EPIDEMIC)/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[test]' --editable '$(EPIDEMIC)[test]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(EPIDEMIC)/pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --constraint constraints.txt --editable '.[dev]' --editable '$(EPIDEMIC)[test]'
	@touch $@ $(VENV)/test.stamp

# An environment for clients: its name, and the list of what is in it.
define client_environment
$(VENV)/$(1).stamp: tests/clients/$(2) | $(BIN)/python
	$(PYTHON) -m venv --clear $(VENV)/$(1)
	$(VENV)/$(1)/bin/python -m pip --disable-pip-version-check --quiet install --requirement tests/clients/$(2)
	@touch $$@
endef
$(eval $(call client_environment,clients,requirements.txt))
$(eval $(call client_environment,sql-clients,requirements-sql.txt))
$(eval $(call client_environment,dbt,requirements-dbt.txt))
