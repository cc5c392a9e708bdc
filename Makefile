# Two commands on a fresh machine: `make demo` and `make test`. Everything else is for daily work.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export KILN_HOME ?= $(CURDIR)/kiln-home
export DAGSTER_DISABLE_TELEMETRY = yes
STAMP := $(VENV)/.installed

.PHONY: demo test test-long dev lint bench lock clean

$(STAMP): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	$(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install -q --python $(BIN)/python --no-deps -e .
	touch $@

demo: $(STAMP) ## simulate, run the night, publish, show where the files are
	$(BIN)/kiln demo --home $(KILN_HOME)

test: $(STAMP) ## the fast tests, warnings as errors
	$(BIN)/python -m pytest -n 2

test-long: $(STAMP) ## the slow tests too
	$(BIN)/python -m pytest -n 2 -m long

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

dev: $(STAMP) ## the Dagster UI on the same home, on loopback
	mkdir -p $(KILN_HOME)/dagster
	test -f $(KILN_HOME)/dagster/dagster.yaml || cp deploy/dagster.yaml $(KILN_HOME)/dagster/dagster.yaml
	PATH="$(CURDIR)/$(BIN):$$PATH" DAGSTER_HOME=$(KILN_HOME)/dagster $(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p $(or $(PORT),3000)

bench: $(STAMP) ## writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

lock: ## new versions, on purpose
	$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --generate-hashes --no-annotate --no-header -o requirements.lock

clean:
	rm -rf build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
