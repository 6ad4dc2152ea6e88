# The two commands for a fresh machine are `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help venv venv-flink check format demo test clean

help: ## say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

# The stamps make `make` reinstall when pyproject.toml changes, and only then.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ozone-gen needs Python 3.11 or newer: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(VENV)/.installed-flink: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev,flink]'
	@touch $@

venv: $(VENV)/.installed ## make the development environment, without Flink
venv-flink: $(VENV)/.installed-flink ## the same with Flink (830 MB), which preview and its tests need

check: venv ## lint and check types
	$(BIN)/ruff check .
	$(BIN)/mypy

format: venv ## sort imports and mend what ruff can
	$(BIN)/ruff check --fix .

demo: venv-flink ## make the environment, render the demo site and preview it
	$(BIN)/ozone-gen render examples/demo/ozone.yaml -o out/demo
	$(BIN)/ozone-gen preview examples/demo/ozone.yaml

test: venv-flink check ## run everything
	$(BIN)/python -m pytest

clean: ## remove the environment and what was generated
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
