# Each target does its own set-up in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TWO_AT_A_TIME := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: app test fast fuzz check lint format bench docs

app: .venv/app.stamp
	$(BIN)/python app.py

# The whole truth, in some minutes: pages in a browser come last and alone.
test: check
	$(TWO_AT_A_TIME) -m "not browser"
	$(BIN)/python -m pytest -m browser

# An answer within a minute: types and what is slow are left to make test.
fast: lint
	$(TWO_AT_A_TIME) -m "not slow"

# Settings, files and calls at random, other ones each time, for some quarter of an hour: FUZZ times as many
# as make test has.
FUZZ := 25
fuzz: .venv/dev.stamp
	T2V_FUZZ=$(FUZZ) $(BIN)/python -m pytest -v $(wildcard tests/*/test_fuzz_*.py)

check: lint
	$(BIN)/mypy

lint: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

docs: .venv/dev.stamp
	$(BIN)/python docs/reference.py

.venv/app.stamp: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -r requirements.txt
	touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	touch $@
