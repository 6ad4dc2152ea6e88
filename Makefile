# The two commands for a fresh machine are `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help venv venv-flink check format golden docs demo test test-all test-fast clean

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

golden: venv ## rewrite the golden files; review what changed before you commit it
	$(BIN)/python -m pytest --quiet --update-golden tests/golden tests/invalid tests/unit

docs: venv ## build the documentation as a site in out/docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet
	@echo "Open out/docs/index.html in a browser."

demo: venv-flink ## set everything up, render the demo site and show its flattened tables
	$(BIN)/ozone-gen render examples/demo/ozone.yaml -o out/demo
	$(BIN)/ozone-gen preview examples/demo/ozone.yaml -o out/preview --html out/preview/report.html
	@echo
	@echo "Look at out/preview/report.html in a browser."
	@echo "The tables are in out/preview as Parquet files, the site that fills them for good is in out/demo."
	@echo "Next: change examples/demo/ozone.yaml (another concept, another repeat) and run this again,"
	@echo "or give your own data: $(BIN)/ozone-gen preview FILE.yaml --dump your-dump.sql"

# What has to be built, the engine of the containers and MinIO, is begun first. What runs Flink or a server of its own
# runs in two processes, then come the sites, one after the other: two beside each other took longer. They wait a quarter
# of their time, which is what the quick tests get. All three run, whatever the others find.
test: servers ## set everything up and run the tests, real services end to end among them
	@$(PYTHON) -m tests.engine.engine $(MAKE) --no-print-directory beside-the-engine AND="and not slow"

test-all: servers ## the same with the slow ones, which look deeper at the same things
	@$(PYTHON) -m tests.engine.engine $(MAKE) --no-print-directory beside-the-engine

.PHONY: beside-the-engine
beside-the-engine:
	@tests/contract/minio.sh >/dev/null 2>&1 &
	@$(MAKE) --no-print-directory venv-flink check
	@mkdir -p out; echo "The quick tests run beside the others; what they found comes last."
	@nice -n 15 $(BIN)/python -m pytest -m "not contract and not flink and not e2e $(AND)" >out/quick-tests.log 2>&1 & quick=$$!; \
	status=0; \
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope --no-loadscope-reorder \
	  -m "(contract or flink) and not e2e $(AND)" || status=$$?; \
	$(BIN)/python -m pytest -m "e2e $(AND)" || status=$$?; \
	wait $$quick || status=$$?; cat out/quick-tests.log; \
	exit $$status

test-fast: venv check ## the tests that need no server, no Flink and no container
	$(BIN)/python -m pytest --numprocesses 2 --dist loadscope -m "not contract and not flink and not e2e"

# The contract tests start private MariaDB and PostgreSQL servers; the packages' own are not started. The property tests
# compile a connector. Chromium looks at the dashboard.
.PHONY: servers
servers:
	@if { command -v javac && command -v chromium && { command -v mariadbd || test -x /usr/sbin/mariadbd; } \
	      && ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1; then :; \
	elif test "$$(id -u)" = 0 && command -v apt-get >/dev/null; then \
	  echo "installing MariaDB, PostgreSQL, a Java compiler and Chromium for the tests"; \
	  $(SHELL) tests/contract/install-servers.sh; \
	else \
	  echo "MariaDB, PostgreSQL, javac or Chromium is not installed: the tests that need them will say so and be skipped"; \
	fi

clean: ## remove the environment and what was generated
	rm -rf $(VENV) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
