# Two commands on a fresh machine: `make demo` runs the main job from nothing, `make test` passes the tests from nothing.
# Both set up .venv by themselves; the second run finds it ready.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help demo test test-slow lint clean

help:
	@echo "make demo       classify real photographs with the embedded model"
	@echo "make test       the fast tests (minutes)"
	@echo "make test-slow  full-size parity, packaging, kills: what needs longer"
	@echo "make lint       ruff, pyright, import contracts"
	@echo "make clean      remove what these made"

$(VENV)/.run: pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("lit-jax needs Python >= 3.11 and this is %d.%d; run: make PYTHON=python3.12" % v[:2])'
	@echo "setting up $(VENV) (once) ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run
	@$(PIP) install --group test
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@$(PIP) install --group lint
	@touch $@

demo: $(VENV)/.run
	@echo '$$ lit classify eval/demo/photos --top-k 3 --table --save demo-out/sheet.png' >&2
	@mkdir -p demo-out
	@$(BIN)/lit classify eval/demo/photos --top-k 3 --table --save demo-out/sheet.png
	@printf '%s\n' '' 'Look at demo-out/sheet.png. Then try, with pictures and words of your own:' \
	  '  $(BIN)/lit classify your.jpg --class "a word" --class "another"' \
	  '  $(BIN)/lit embed a-folder/ -o pictures.npz' \
	  '  $(BIN)/lit models --card        what this small model saw, and where it fails' >&2

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q -n 2

test-slow: $(VENV)/.test
	@$(BIN)/python -m pytest -q -m slow

lint: $(VENV)/.lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/pyright --pythonpath $(BIN)/python

clean:
	rm -rf $(VENV) .venvs build dist demo-out .pytest_cache .ruff_cache .hypothesis
