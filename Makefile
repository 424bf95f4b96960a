# Everything runs in .venv, which the first target to need it makes. On Debian 12:
#     apt install python3-venv python3-dev gcc make
# PYTHON=... chooses another interpreter; PYTEST_ARGS=... is handed to pytest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?= -n auto
CORE := $(wildcard _ext/*.pyx _ext/*.pxd) $(shell find _ext/vendor -name "*.[ch]")
CHECKED := build/checked
PICO := captures/pico

.DEFAULT_GOAL := help
.PHONY: help demo test build lint format checked dist bench bench-quick guard docs captures firmware clean

help:
	@echo 'make demo     judge a recorded capture, one that passes and one that fails'
	@echo 'make test     the test suite (PYTEST_ARGS="-n auto" by default)'
	@echo 'make build    compile the core in place'
	@echo 'make lint     formatter, linters, types, stubs, layers'
	@echo 'make format   let the formatter have its way'
	@echo 'make checked  the suite on a core with every check compiled in, in $(CHECKED)'
	@echo 'make dist     sdist and wheel in dist/'
	@echo 'make bench    speed and memory beside zlib, libdeflate and sigrok-cli, what judging costs; into docs/ (20 minutes)'
	@echo 'make bench-quick  a look at speed on short captures, written nowhere (a minute)'
	@echo 'make guard    whether decoding, or the start, takes more instructions than before, counted under valgrind'
	@echo 'make docs     the docs site, in build/site'
	@echo 'make captures record the emulated captures again, and count in them what docs/embassy.md tells'
	@echo 'make firmware build the ELFs they are recorded from (needs a Rust toolchain, see firmware/README.md)'
	@echo 'make clean    remove .venv, builds and caches'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'tracecheck needs Python 3.11 or newer: try make PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	    echo '$(PYTHON) cannot make virtual environments: apt install python3-venv' >&2; exit 1; }
	@command -v gcc >/dev/null || command -v cc >/dev/null || { \
	    echo 'no C compiler for the compiled core: apt install gcc' >&2; exit 1; }
	@$(PYTHON) -c 'import os, sys, sysconfig as s; sys.exit(not os.path.exists(s.get_path("include") + "/Python.h"))' || { \
	    echo "no Python.h for the compiled core: apt install python3-dev" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# What an installation needs, and no more; developers' tools come with .developer.
$(VENV)/.user: $(BIN)/python pyproject.toml setup.py $(CORE)
	@echo 'installing into $(VENV), and compiling the core there: a minute or two, most of it in silence'
	$(BIN)/pip install --quiet --editable '.[pico]'
	@touch $@

$(VENV)/.developer: $(BIN)/python pyproject.toml setup.py
	@echo 'installing into $(VENV), with the developers'\'' tools, and compiling the core: minutes, most of them in silence'
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.user

# Newer sources only: compiled without pip's build environment, in seconds.
$(VENV)/.core: $(VENV)/.developer $(CORE)
	$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@ $(VENV)/.user

build: $(VENV)/.core

# The analyses of faults must find them: the demo fails when they do not.
SHOWN = printf '\n%s\n\n'
DEVICES = --target 0x68=registers --target 0x3C=display
demo: $(VENV)/.user
	@$(SHOWN) '1. Embassy firmware on the emulated Pico, recorded earlier: all interrupts and wakes in order. Exit code 0'
	$(BIN)/tracecheck analyze $(PICO)/pico-clean-mixed-two-pin.sr --rules $(PICO)/two-pin.rules.toml
	@$(SHOWN) '2. The same firmware recorded now, while another task keeps the executor for 300 us: exit code 1'
	mkdir -p build
	$(BIN)/tracecheck record --emulate $(PICO)/firmware/mixed-400k-three-pin-s1.elf --ms 25 --force -o build/demo.sr $(DEVICES) \
	    --fault hog-executor,transfer=7 --rules $(PICO)/three-pin.rules.toml; test $$? -eq 1
	@$(SHOWN) '3. A capture of a real SHT21 sensor, bus only: the integrity of the bus. Exit code 0'
	$(BIN)/tracecheck analyze captures/sigrok-dumps/i2c-sht21-100khz-read-serial-hold.sr
	@$(SHOWN) 'The first and the third passed, the second failed as it should.'

test: $(VENV)/.core
	$(BIN)/pytest $(PYTEST_ARGS)

# Python without its suffix, which ruff does not find by itself.
SCRIPTS := firmware/build firmware/cost

# cython-lint calls pycodestyle by name, hence PATH.
lint: $(VENV)/.core
	$(BIN)/ruff format --check . $(SCRIPTS)
	$(BIN)/ruff check . $(SCRIPTS)
	PATH="$(CURDIR)/$(BIN):$$PATH" cython-lint _ext
	$(BIN)/mypy
	$(BIN)/stubtest --mypy-config-file pyproject.toml $(patsubst _ext/%.pyx,tracecheck._%,$(filter %.pyx,$(CORE)))
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.developer
	$(BIN)/ruff format . $(SCRIPTS)
	$(BIN)/ruff check --fix-only . $(SCRIPTS)

# A copy of the tree, so that the release core stays what it is; PYTHONPATH puts the copy before the editable install.
checked: $(VENV)/.core
	rm -rf $(CHECKED)
	mkdir -p $(CHECKED)
	tar --create --exclude='*.so' --exclude=__pycache__ --exclude='.*_cache' --exclude=firmware/target \
	    .ci _ext benchmarks captures docs examples firmware tests tracecheck *.md LICENSE Makefile MANIFEST.in action.yml .pre-commit-hooks.yaml pyproject.toml setup.py \
	    | tar --extract --directory=$(CHECKED)
	cd $(CHECKED) && TRACECHECK_CHECKED=1 $(CURDIR)/$(BIN)/python setup.py --quiet build_ext --inplace
	cd $(CHECKED) && for core in tracecheck/_*.so; do \
	    readelf --dynamic $$core | grep --quiet libubsan || { echo "$$core does not trap undefined behaviour" >&2; exit 1; }; \
	    done
	cd $(CHECKED) && PYTHONPATH="$$PWD" TRACECHECK_CHECKED=1 $(CURDIR)/$(BIN)/pytest $(PYTEST_ARGS)

dist: $(VENV)/.developer
	rm -rf dist
	$(BIN)/python -m build --quiet --outdir dist .

bench: $(VENV)/.core
	$(BIN)/python -m benchmarks.speed --write docs/benchmarks.md
	$(BIN)/python benchmarks/rules.py --write docs/benchmarks-rules.md
	$(BIN)/python benchmarks/formats.py --write docs/formats.md
	$(BIN)/python benchmarks/soak.py --minutes 2 --fast
	$(BIN)/python benchmarks/emulation.py --write

bench-quick: $(VENV)/.core
	$(BIN)/python -m benchmarks.speed --quick

# Exit code 3: it did not run here, which is no pass.
guard: $(VENV)/.core
	$(BIN)/python benchmarks/guard.py

# Every warning is an error: a link that leads nowhere, a page in no table of contents.
docs: $(VENV)/.core
	$(BIN)/pip install --quiet --editable '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going --quiet -c docs -b html . build/site
	@echo 'the site is in build/site; it begins with docs/index.html'

captures: $(VENV)/.core
	$(BIN)/python $(PICO)/make.py
	$(BIN)/python $(PICO)/truth.py --write

firmware:
	firmware/build

clean:
	rm -rf firmware/target
	rm -rf $(VENV) build dist *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	rm -f tracecheck/*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
