# make quickstart    set up, then train and measure on the generated data set
# make transfer-demo detectors on generated scenes from the quickstart's weights
# make test          set up, then lint, type check and test
# make docs          build the site of docs/ into build/site
# make help          the rest
#
# All of it happens in .venv. Another interpreter: make PYTHON=python3.11 (after make distclean).

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?=
# Test processes, one thread each; PYTEST_WORKERS=0 runs all in one.
PYTEST_WORKERS ?= 2

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CONSTRAINTS := requirements/constraints.txt
TARGET := .[det,timm,export,attacks,faiss,parquet,tensorboard,tiff,tests,lint]
UV_VERSION := 0.13.9

SHELL := /bin/bash
export PIP_NO_INPUT := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

PYTHON_IN_RANGE := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))
UV := $(BIN)/uv pip install --python $(BIN)/python -c $(CONSTRAINTS)
PIP := $(BIN)/python -m pip install -c $(CONSTRAINTS)

# onedl-mmcv asks for the OpenCV build that needs libGL, which a server may lack. Both builds own the
# same files, so the headless one is laid over it last.
WITH_UV = $(UV) -b $(CONSTRAINTS) -e '$(TARGET)' && \
	$(UV) -q --no-deps --reinstall opencv-python-headless
WITH_PIP = $(PIP) -e '$(TARGET)' && \
	$(PIP) -q --no-deps --force-reinstall opencv-python-headless

.PHONY: help install quickstart transfer-demo test lint format docs wheel clean distclean

help:
	@echo 'install     make $(VENV) with the pinned set; does nothing when it is up to date'
	@echo 'quickstart  train and measure on the generated data set'
	@echo 'transfer-demo  from the weights of the quickstart to detectors, against random weights'
	@echo 'test        lint, then pytest (PYTEST_ARGS="-k name" to choose)'
	@echo 'lint        ruff and mypy'
	@echo 'format      let ruff fix and format'
	@echo 'docs        build the site of docs/ into build/site'
	@echo 'wheel       build a wheel into dist/'
	@echo 'clean       remove what builds and checks leave behind'
	@echo 'distclean   clean, and remove $(VENV)'

install: $(STAMP)

$(STAMP): setup.py pyproject.toml $(wildcard requirements/*.txt)
	@command -v $(PYTHON) >/dev/null || { \
		echo 'error: no $(PYTHON) here. Name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c '$(PYTHON_IN_RANGE)' || { \
		echo "error: Python 3.10, 3.11 or 3.12 is needed; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
			'Name another: make PYTHON=python3.11' >&2; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@if $(BIN)/python -m pip install -q uv==$(UV_VERSION) && $(WITH_UV); then :; else \
		echo 'uv could not do it; using pip, which takes longer.' >&2; $(WITH_PIP); fi
	@touch $@

quickstart: install
	$(BIN)/python tools/quickstart.py

transfer-demo: install
	$(BIN)/python tools/transfer_demo.py

test: lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist worksteal $(PYTEST_ARGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/mypy mochi_mm

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# mkdocs and its theme come in here, not with the pinned set. --strict: a broken link is an error.
# The theme would print an advertisement of the next mkdocs at every build.
docs: install
	@$(BIN)/python -c 'import material, mkdocstrings_handlers.python' 2>/dev/null || \
		$(UV) -q -r requirements/docs.txt || $(PIP) -q -r requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'build/site/index.html'

wheel: install
	rm -rf build
	$(BIN)/python -m pip wheel . --no-deps --no-build-isolation -w dist

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)
