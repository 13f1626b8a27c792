# `make demo` and `make test` are all that a fresh clone needs: each sets up what is missing.
# PYTHON=3.11 picks a version, otherwise the newest supported one on this machine.

PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
# as many files of tests at once as there are processors
PYTEST ?= -q -n auto --dist loadfile
# trust what the machine trusts, as pip does
export UV_SYSTEM_CERTS := 1

.PHONY: help setup demo test lint format bench parity coverage lock clean

help:  ## Show what can be made.
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: $(VENV)/installed  ## Make the virtual environment.

$(VENV)/installed: pyproject.toml constraints.txt .ci/find-python
	@echo "setting up $(VENV) (once, about a minute)"
	@python=$$(.ci/find-python $(PYTHON)) && "$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt \
	  --editable '.[toolkit,batch,onnx,sklearn,litert,aws,gcp,azure,stores,files,sign]' --group dev
	@touch $@

demo: setup  ## Train, pack, build for three clouds, answer under their real runtimes, compare.
	@$(BIN)/python -m benchmarks.demo

test: setup  ## Run every test.
	@.ci/install-sam
	@.ci/install-azurite
	@.ci/install-checkov
	@.ci/install-terraform-schemas
	@$(BIN)/python -m pytest $(PYTEST)

lint: setup  ## Check style and types.
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy shared handlers

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
	rm -rf .venv* .tools build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
