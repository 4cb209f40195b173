# make demo    install, then walk from a real table to a served prediction     (DATA=my.csv TARGET=column BUDGET=20s)
# make test    install the rest, check everything, run every test
# make check   style, types, layers, sizes
# make bench   measure; results go to bench/results and, by `make bench-table`, into README.md and docs/measured.md
# make bench-crash   kill the Store a thousand times on each database, and look what is lost
# make bench-fuzz    an hour of broken requests and files; installs what that needs
# make screenshots   picture every screen of Studio, light and dark, into build/screenshots
# make docs    build the documentation site
# make lock    write the installed versions to requirements/constraints.txt
# make clean   remove what was made (the environment too)

SHELL := /bin/sh
PYTHON ?= python3
DATA ?=
TARGET ?=
BUDGET ?= 20s

# Paths are relative on purpose: the repository may lie in a folder with spaces in its name.
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile --constraint requirements/constraints.txt
SOURCES := $(wildcard pyproject.toml requirements/constraints.txt)

.PHONY: demo test check format bench bench-crash bench-fuzz bench-table screenshots docs lock clean system system-test
.DELETE_ON_ERROR:

demo: system .make/demo
	@$(BIN)/python examples/demo.py --data "$(DATA)" --target "$(TARGET)" --budget "$(BUDGET)"

test: system-test .make/test check
	@$(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile

check: .make/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --verbose
	$(BIN)/python -m pytest -q --no-header tests/unit/test_size.py

format: .make/test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .make/test
	$(BIN)/python bench/run.py

bench-crash: system-test .make/test
	$(BIN)/python bench/crash.py --kills 1000 --keep

bench-fuzz: system-test .make/test
	@$(PIP) --editable '.[fuzz]'
	$(BIN)/python bench/fuzz/campaign.py --keep

bench-table: .make/test
	$(BIN)/python bench/table.py

screenshots: system-test .make/test
	$(BIN)/python docs/studio_screenshots.py build/screenshots

docs: .make/docs
	$(BIN)/mkdocs build --strict

lock: .make/test .make/docs
	@{ echo "# The exact versions with which the tests last passed, for make demo and make test; renewed by make lock."; \
	   $(BIN)/python -m pip --disable-pip-version-check freeze --exclude-editable | sed 's/+cpu$$//'; } > .make/constraints.txt
	@mv .make/constraints.txt requirements/constraints.txt

clean:
	rm -rf .venv .make build dist site demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# ------------------------------------------------------------------------------------------- the environment, once each

.make/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "mantic needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo absent)." >&2; \
	  echo "  fix: install one, then for instance: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { \
	  echo "the environment cannot be made. On Debian and Ubuntu: apt-get install python3-venv" >&2; rm -rf .venv; exit 1; }
	@mkdir -p .make && touch $@

.make/demo: .make/venv $(SOURCES)
	@echo "installing (once) ..."
	@$(PIP) --editable '.[demo]'
	@touch $@

.make/test: .make/venv $(SOURCES)
	@echo "installing what the tests need (once) ..."
	@$(PIP) --editable '.[test]'
	@$(BIN)/python -m compileall -q -j 0 -x 'site-packages/(torch|transformers|sympy)/' .venv/lib src || true  # the tests start hundreds of processes
	@touch $@ .make/demo

.make/docs: .make/venv $(SOURCES)
	@$(PIP) --editable '.[docs]'
	@touch $@

# What pip cannot install: the OpenMP runtime of LightGBM. Says so loudly where it may not install it either.
system:
	@sh requirements/system.sh

system-test:
	@sh requirements/system.sh test
