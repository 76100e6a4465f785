# Everything that a fresh machine needs is made here: a virtual environment in .venv, pinned by .ci/constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint .ci/constraints.txt
export PACT_DO_NOT_TRACK := true

.PHONY: check test test-integration test-quarantine lint pacts matrix sdks peers clean

check: $(VENV)/.run  ## judge the reference client and the reference provider
	$(BIN)/psp-harness run

test: $(VENV)/.test  ## every test; what a machine lacks is skipped, and said
	$(BIN)/python -m pytest -n auto --dist loadfile

test-integration: $(VENV)/.test  ## what needs more than this package: published SDKs and doubles
	$(BIN)/python -m pytest -m integration

test-quarantine: $(VENV)/.test  ## what QUARANTINE.md tolerates, alone
	$(BIN)/psp-harness run --subject sdk:stripe --gate manual

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

pacts: $(VENV)/.test  ## write contracts/pacts anew from the consumer tests
	PSP_HARNESS_WRITE_PACTS=1 $(BIN)/python -m pytest tests/contracts/test_consumer.py

matrix: $(VENV)/.run  ## write docs/kill-matrix.md anew: every miniature, and which rule reports it
	$(BIN)/psp-harness matrix --markdown docs/kill-matrix.md

sdks: $(VENV)/.test  ## write docs/sdks.md and docs/sdks.html anew: every published SDK, and which rule reports it
	$(BIN)/psp-harness matrix --sdks --markdown docs/sdks.md --html docs/sdks.html

peers: $(VENV)/.test  ## write the part of docs/kill-matrix.md on other tools anew; they have an environment of their own
	test -x .peers/bin/st || ($(PYTHON) -m venv .peers && .peers/bin/python -m pip --quiet install '.[peers]')
	$(BIN)/python benchmarks/peers.py --schemathesis .peers/bin/st

clean:
	rm -rf $(VENV) .peers .psp-harness .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.run: pyproject.toml .ci/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(PIP) --editable '.[sdks,doubles,middlewares,paypal,receivers,stores,embedded,containers,test,lint]'
	touch $@
