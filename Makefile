# Two commands do everything on a fresh machine with Python 3.11 or newer:
#   make site    build the default site into dist/
#   make test    lint, types, tests (browsers included), the built site and the installed wheel
# Both install what requirements/ locks: the same versions tomorrow, checked by their hashes. Five more are about that:
#   make core    the tests that need no PyTorch, where it is not to be had
#   make lock    lock the newest versions that pyproject.toml allows
#   make newest  tests with the newest of everything; make oldest, with the oldest allowed (TESTS=tests: all of them)
#   make fresh   the wheel as people install it, on every Python that is here, with the newest of everything
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: site test core lint types browsers bench lock newest oldest fresh clean

site: $(VENV)/.installed
	$(BIN)/sitegen build --out dist

# A process for each core, up to four; each keeps to one thread, or they would wait for each other.
PYTEST := -m pytest -n auto --maxprocesses 4 --dist loadfile
test core newest oldest: export OMP_NUM_THREADS := 1

# Types take a minute of one core: they are checked beside the tests, and told of after them.
test: $(VENV)/.installed-test browsers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p build
	@$(MAKE) --no-print-directory types >build/types.txt 2>&1 & types=$$!; \
	echo "$(BIN)/python $(PYTEST)"; $(BIN)/python $(PYTEST); tests=$$?; \
	wait $$types; types=$$?; cat build/types.txt; exit $$((tests + types))

core: $(VENV)/.installed-core browsers
	$(BIN)/python $(PYTEST)

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory types

types: $(VENV)/.installed-test
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

PIP := python -m pip install --quiet --disable-pip-version-check

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements/site.txt
	$(BIN)/$(PIP) --no-deps --require-hashes --requirement requirements/site.txt
	$(BIN)/$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-core: $(VENV)/.installed requirements/test.txt
	$(BIN)/$(PIP) --no-deps --require-hashes --requirement requirements/test.txt
	@touch $@

# PyTorch comes apart, in the one version that pyproject.toml names: it is built for each kind of graphics card and for
# none, under one name, so that no list of hashes has them all. All else that [test] needs is there by now.
$(VENV)/.installed-test: $(VENV)/.installed-core
	$(BIN)/$(PIP) --no-build-isolation --editable ".[test]"
	@touch $@

UV := build/uv/bin/uv
COMPILE := $(UV) pip compile pyproject.toml --no-config --quiet --upgrade --universal --python-version 3.11 --no-annotate \
	--group build --no-emit-index-url --custom-compile-command "make lock"
LOCK := $(COMPILE) --fork-strategy fewest --generate-hashes
TESTED := --extra test --group beneath-torch --excludes -

lock: $(UV)
	$(LOCK) --output-file requirements/site.txt
	echo torch | $(LOCK) $(TESTED) --constraints requirements/site.txt --output-file requirements/test.txt

$(UV): $(VENV)/bin/python
	$(BIN)/python -m venv build/uv
	build/uv/bin/$(PIP) uv

TESTS := tests/bundle tests/calibration tests/export tests/gradient tests/graphs tests/metrics tests/networks tests/prediction tests/runtime tests/site

newest: $(VENV)/bin/python
	$(BIN)/python -m venv build/newest
	build/newest/bin/$(PIP) --upgrade --upgrade-strategy eager --editable ".[test]"
	build/newest/bin/python $(PYTEST) $(TESTS)

oldest: $(UV)
	$(BIN)/python -m venv build/oldest
	echo torch | $(COMPILE) $(TESTED) --resolution lowest-direct --output-file build/oldest.txt
	build/oldest/bin/$(PIP) --no-deps --requirement build/oldest.txt
	build/oldest/bin/$(PIP) --no-build-isolation --editable ".[test]"
	build/oldest/bin/python $(PYTEST) $(TESTS)

fresh:
	sh tests/fresh_install.sh

clean:
	rm -rf dist build $(VENV) .mypy_cache .ruff_cache .pytest_cache
