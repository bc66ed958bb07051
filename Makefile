# Each target does its own set-up in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test bench

app: .venv/app.stamp
	$(BIN)/python app.py

test: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/python -m pytest

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

.venv/app.stamp: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/dev.stamp: .venv/app.stamp requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
