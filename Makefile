# Two commands do everything on a fresh machine with Python 3.11 or newer:
#   make site    build the default site into dist/
#   make test    lint, types, tests (browsers included), the built site and the installed wheel
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: site test lint browsers bench clean

site: $(VENV)/.installed
	$(BIN)/sitegen build --out dist

# A process for each core, up to four; each keeps to one thread, or they would wait for each other.
test: $(VENV)/.installed-test browsers lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.javascript.check

bench: $(VENV)/.installed-test browsers
	$(BIN)/sitegen build --out dist
	$(BIN)/python benchmarks/page.py --site dist
	$(BIN)/python benchmarks/gradients.py
	$(BIN)/python benchmarks/training.py

browsers:
	@sh tests/install_browsers.sh

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[test]"
	@touch $@

clean:
	rm -rf dist build $(VENV) .mypy_cache .ruff_cache .pytest_cache
