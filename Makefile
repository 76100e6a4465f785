# Everything that a fresh machine needs is made here: a virtual environment in .venv, pinned by .ci/constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint .ci/constraints.txt
export PACT_DO_NOT_TRACK := true

GATE :=
AT = $(if $(GATE),--gate $(GATE))
ROWS := *
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
# of pytest: one more than there are processors, for half of the time a test waits for another process

.PHONY: check test test-integration test-quarantine quarantine-check pr nightly release manual lint pacts matrix sdks peers clean

check: $(VENV)/.run  ## judge the reference client, provider and receiver; GATE=pr: as at that gate
	$(BIN)/psp-harness run $(AT)

test: $(VENV)/.test  ## every test; what a machine lacks is skipped, and said; GATE=pr: as at that gate
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(AT)

test-integration: $(VENV)/.test  ## what needs more than this package: published SDKs and doubles
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m integration

quarantine-check: $(VENV)/.run  ## the whole of QUARANTINE.md, whatever is run
	$(BIN)/psp-harness quarantine check

pr nightly release: quarantine-check  ## everything that this gate runs: our own, a published SDK, the tests
	$(MAKE) check GATE=$@
	$(MAKE) $(VENV)/.test
	$(BIN)/psp-harness run --subject sdk:stripe --gate $@
	$(MAKE) test GATE=$@

manual test-quarantine: $(VENV)/.test  ## what QUARANTINE.md tolerates, alone; ROWS='client/*': these of it
	$(BIN)/psp-harness run --subject sdk:stripe --gate manual --only '$(ROWS)'
	$(BIN)/python -m pytest --gate manual

lint: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

pacts: $(VENV)/.test  ## write contracts/pacts anew from the consumer tests
	PSP_HARNESS_WRITE_PACTS=1 $(BIN)/python -m pytest tests/contracts/test_consumer.py

matrix: $(VENV)/.test  ## write docs/kill-matrix.md anew: every miniature, and which rule reports it
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
	$(PIP) --editable '.[sdks,doubles,middlewares,paypal,tls,receivers,stores,embedded,containers,shop,test,lint]'
	touch $@
