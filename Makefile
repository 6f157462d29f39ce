# Everything runs in .venv; paths are relative, so the folder may have a space in its name.
SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help demo lab test pythons reliability format bench docs pictures binder-rehearsal clean

# An interpreter to use instead of the first Python 3.11+ found, more arguments for pytest, and the
# benchmarks to run instead of all.
PYTHON ?=
PYTEST_ARGS ?=
BENCH ?=
# Another repository to rehearse than this one.
REPOSITORY ?=
export PYTHON
# Where it is set, each of the tests' hundreds of processes would compile all of .venv anew.
unexport PYTHONDONTWRITEBYTECODE

python := .venv/bin/python
notebook := notebooks/01_quickstart.ipynb

help: ## show this text
	@echo 'make TARGET [PYTHON=/path/to/python3.11] [PYTEST_ARGS="-k proxy"] [BENCH="loading cell"]'
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 20

demo: ## run the quickstart notebook in the terminal, and write it as HTML
	@bash tools/setup.sh demo
	@$(python) tools/demo.py $(notebook)

lab: ## open the tutorials in JupyterLab, at the first one
	@bash tools/setup.sh tutorials
	@$(python) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(notebook)

test: ## check style and types, run every test
	@bash tools/test.sh $(PYTEST_ARGS)

pythons: ## run the unit tests on every other Python 3.11+ that is found (two minutes)
	@bash tools/setup.sh test
	@bash tools/pythons.sh $(PYTEST_ARGS)

reliability: ## send 100,000 generated messages, kill servers, and show what came of it (ten minutes)
	@bash tools/setup.sh test
	@NANGO_MESSAGES=100000 $(python) -m pytest -q -s tests/reliability $(PYTEST_ARGS)

format: ## put the code into the form that `make test` asks for
	@bash tools/setup.sh test
	@$(python) -m ruff check --fix
	@$(python) -m ruff format

bench: ## measure what everything costs, against the bare minimum and other packages
	@bash tools/setup.sh test
	@bash tools/peers.sh
	@$(python) -m benchmarks $(BENCH)

docs: ## run the code blocks of the documents, and build their site into build/site
	@bash tools/setup.sh test
	@bash tools/docs.sh

pictures: ## make README's animation anew, with a real browser
	@bash tools/setup.sh test
	@$(python) tools/pictures.py

binder-rehearsal: ## do what Binder does with what is committed, without docker
	@bash tools/setup.sh demo
	@$(python) -u tools/binder_rehearsal.py $(if $(REPOSITORY),"$(REPOSITORY)")

clean: ## remove the virtual environment and everything built
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
