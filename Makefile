# make run    a demo hospital and real images in the browser
# make test   every test
# make check  ruff, mypy, import-linter, every test: what CI runs
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check lint bench samples lock clean
.DEFAULT_GOAL := run

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "pacsmeter needs Python 3.11 or newer; name one with: make PYTHON=python3.12" >&2; exit 2; }
	@echo "Making the environment in $(VENV) (once, a minute or two) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY)
	@$(BIN)/pacsmeter load demo --if-empty
	@$(BIN)/pacsmeter app

test: $(READY)
	@$(BIN)/python -m pytest

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint test

bench: $(READY)
	@$(BIN)/python -m benchmarks

# The excerpt under data/samples, made anew (a test holds it to the generator).
samples: $(READY)
	@$(BIN)/python -m analytics.demo.samples data/samples

# The lock, made anew from pyproject.toml: for every platform and Python, with hashes.
lock:
	@$(PYTHON) -m pip install --quiet --user uv || true
	@uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --extra dev \
	  --python-version 3.11 pyproject.toml -o requirements.lock

clean:
	@rm -rf $(VENV) var build *.egg-info
