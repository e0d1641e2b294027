# What a contributor does, as verbs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt
NOTEBOOK := notebooks/flights.ipynb
NOTEBOOKS := $(NOTEBOOK) $(addprefix notebooks/,$(addsuffix .ipynb,\
	tutorial monitoring sweep regression-report weekly-reports export))
# One more than there are cores, as tests wait for kernels, servers and browsers.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

.PHONY: help demo test quick differential torture images binder bench lint format docs pictures dist lock clean verify
.DEFAULT_GOAL := help

help: ## List these verbs
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: $(VENV)/demo.stamp ## Set up, run the flights demo, say where to look at the result
	$(BIN)/stagebook run $(NOTEBOOK) --promote $(DEMO)

test: $(VENV)/test.stamp lint ## Set up, run all checks and tests
	@$(BIN)/python -m compileall -q magics # where Python writes no bytecode, thousands of kernels would each compile it
	$(BIN)/python -m pytest -n $(PROCESSES) --no-loadscope-reorder --nbval-lax tests $(NOTEBOOKS)

quick: $(VENV)/test.stamp ## Set up, run what needs neither a server nor a browser: a first green test, in minutes
	$(BIN)/python -m pytest -q -n $(PROCESSES) tests/book tests/test_exporters.py tests/test_imports.py tests/test_readme.py

differential: $(VENV)/test.stamp ## Run hazards and scikit-learn's examples as stages and in one kernel; all must be the same
	$(BIN)/python -m tests.differential --corpus all --json differential.json
	$(BIN)/python -m tests.export.hazards

verify: $(VENV)/test.stamp ## Run demos, hazards and scikit-learn's examples by each target; all must be as in one kernel
	$(BIN)/python -m tests.verify.corpus --targets local,papermill,dask,python,kedro $(VERIFY)

torture: $(VENV)/test.stamp ## Kill runners and kernels at 200 random moments; what was done must be reused
	STAGEBOOK_KILLS=$${STAGEBOOK_KILLS:-200} $(BIN)/python -m pytest tests/run/test_killing.py

images: $(VENV)/test.stamp ## Build and try all container images, also the monitor's, whose packages take minutes
	STAGEBOOK_IMAGES=all $(BIN)/python -m pytest tests/image

binder: $(VENV)/test.stamp ## Build what Binder builds, visit the tutorial there without a network, weigh it
	$(BIN)/python -m tests.binder.trial $(BINDER)

bench: $(VENV)/test.stamp ## Measure beside the peers, each in an environment of its own; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks $(BENCH)

lint: $(VENV)/test.stamp ## Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/test.stamp ## Bring the code into form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/test.stamp ## Build the site in build/site; a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -n -c docs . build/site
	@echo "The site: build/site/docs/index.html"

pictures: $(VENV)/test.stamp ## Make the docs' pictures anew
	$(BIN)/python docs/pictures.py

dist: $(VENV)/dist.stamp ## Build the release in dist/, check what is in it
	rm -rf dist
	$(UV) build --quiet --build-constraints constraints.txt --python $(BIN)/python
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/twine check --strict dist/*
	$(BIN)/python -m tests.wheel dist

lock: $(UV) ## Write constraints.txt anew, for all supported Pythons, and binder/requirements.txt, for Binder's
	$(UV) pip compile --quiet --universal --python-version 3.10 --extra test --extra dist --no-annotate --no-header \
		--no-emit-index-url --output-file constraints.txt pyproject.toml
	{ echo "# Written by \`make lock\`: what the demo needs, at the versions of constraints.txt, for the Python of runtime.txt."; \
	$(UV) pip compile --quiet --python-platform linux --python-version $(patsubst python-%,%,$(shell cat binder/runtime.txt)) \
		--extra demo --no-annotate --no-header --no-emit-index-url --constraint constraints.txt pyproject.toml; \
	} > binder/requirements.txt

clean: ## Remove what was built and the demo's results
	rm -rf $(VENV) .venv-bench benchmarks/.measured build dist magics/stagebook/labextension extension/node_modules extension/lib notebooks/.stagebook notebooks/my-model.ipynb notebooks/reports notebooks/exported

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Stagebook needs Python 3.10 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(UV): | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(UV)
	@echo "Installing JupyterLab, MLflow and scikit-learn, building the Lab extension: some minutes, once"
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/test.stamp: pyproject.toml constraints.txt | $(UV)
	@echo "Installing what the tests need: some minutes, once"
	@$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/demo.stamp

$(VENV)/dist.stamp: pyproject.toml constraints.txt | $(UV)
	$(UV) pip install --quiet --python $(BIN)/python --constraint constraints.txt check-wheel-contents twine
	@touch $@
