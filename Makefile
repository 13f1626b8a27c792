# `make demo` and `make test` are all that a fresh clone needs: each sets up what is missing.
# PYTHON=3.11 picks a version (and VENV=.venv-3.11 its folder); otherwise it is 3.13 or what this machine has.

PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
# which tests: ROOM=files runs tests/files, ROOM="files models" both, none all; ARGS are pytest's, say -k csv
ROOM ?=
ARGS ?=
# as many files of tests at once as there are processors
PYTEST ?= -q -n auto --dist loadfile
# rooms that `make quick` leaves out, because they start servers and runtimes, or try every estimator
SLOW_ROOMS := batch benchmarks clients contract docs parity stores targets toolkit
# trust what the machine trusts, as pip does
export UV_SYSTEM_CERTS := 1
# images of containers often set it: each of a test's processes would compile scikit-learn again, for five seconds
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo quick test test-clients test-batch tools lint types format bench parity coverage lock clean

help:  ## Show what can be made.
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/installed  ## Make the virtual environment.

$(VENV)/installed: pyproject.toml constraints.txt .ci/setup .ci/get-python .ci/install-uv
	@.ci/setup $(VENV) $(PYTHON)

demo: setup  ## Train, pack, build for three clouds, answer under their real runtimes, compare.
	@$(BIN)/python -m benchmarks.demo

quick: setup  ## Check style, laws and the core, in less than a minute.
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/python -m pytest $(PYTEST) -m "not slow and not server" $(SLOW_ROOMS:%=--ignore=tests/%) $(ARGS)

test: setup $(if $(ROOM),,tools)  ## Run every test, or those of a room: make test ROOM=files.
	@$(BIN)/python -m pytest $(PYTEST) $(if $(ROOM),$(ROOM:%=tests/%),--ignore=tests/clients --ignore=tests/batch) $(ARGS)

test-clients: setup  ## Install real clients of the protocols, as far as that works here, and run them against our server.
	@.ci/install-clients || true
	@$(BIN)/python -m pytest -q -n 0 tests/clients $(ARGS)

test-batch: setup  ## Install the engines for large batches, as far as that works here, and run the tests that score on them.
	@.ci/install-engines || true
	@.ci/install-hadoop || true
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile tests/batch $(ARGS)

tools: setup  ## Install what some tests need beside Python's packages: SAM, Lambda's emulator (with Go), Azurite, checkov, Terraform's schemas, a browser.
	@.ci/install-sam
	@if command -v go >/dev/null; then .ci/install-rie; .ci/install-registry || true; fi
	@.ci/install-azurite
	@.ci/install-checkov
	@.ci/install-terraform-schemas
	@.ci/install-chromium
	@for tool in aarch64 azure-ml kubernetes bwrap base-image machines pyodide wrangler; do .ci/install-$$tool || echo "the tests that need $$tool are skipped" >&2; done

lint: setup  ## Check style and types.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(MAKE) --no-print-directory types
	@$(BIN)/shellcheck .ci/* handlers/aws/flyweight_wrapper handlers/*/*.sh infra/*/*.sh

types: setup  ## Check types. Each handler's folder is an import root of its own.
	@MYPYPATH=$$(printf '%s:' handlers/*/) $(BIN)/mypy shared handlers

format: setup  ## Mend style.
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: setup  ## Measure cold starts against an empty function, onnxruntime and scikit-learn.
	@$(BIN)/python -m benchmarks.cold_start

parity: setup  ## Prove parity over 100,000 rows a family and write docs/parity.md.
	@$(BIN)/python -m benchmarks.parity

coverage: setup  ## Try every estimator of scikit-learn and write docs/coverage.md.
	@$(BIN)/python -m benchmarks.coverage

lock: setup  ## Resolve the newest versions into constraints.txt.
	@$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 pyproject.toml --all-extras --group dev \
	  --no-header --no-annotate --output-file constraints.txt

clean:  ## Remove all that was made.
	rm -rf .venv* .tools build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
