# One command sets up what it needs: .ci/prepare says what that is.

BIN := .venv/bin
# Live tests wait more than they work: two workers more than processors.
WORKERS ?= $(shell expr $$(nproc) + 2)
# A test file, or a class in it, stays on one worker and shares its clusters. The order
# is the tests' own: the live ones first (tests/live/conftest.py).
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint format live releases kills soak bench dist clean distclean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: ## Play a short tour of cibgit: no root, no cluster
	@.ci/prepare runtime
	@$(BIN)/cibgit demo

test: ## Run all checks and all tests (as root with live clusters); ARGS="-k push"
	@.ci/prepare cluster dev
	@status=0; \
	$(MAKE) --no-print-directory lint || status=$$?; \
	$(PYTEST) $(ARGS) || status=$$?; \
	exit $$status

lint: ## Check style and types
	@.ci/prepare dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: ## Put the code into its form
	@.ci/prepare dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

live: ## Run only the tests that boot clusters
	@.ci/prepare cluster dev
	@$(PYTEST) -m live $(ARGS)

releases: ## Hold the doctor against the daemons of other Debian releases (1.2 GB, as root)
	@.ci/prepare cluster dev
	@.ci/releases > /dev/null
	@$(PYTEST) tests/live/releases.py $(ARGS)

kills: ## Kill a push 100 times at random moments, on a real cluster
	@.ci/prepare cluster dev
	@KILLS=100 $(BIN)/pytest tests/live/test_kills.py $(ARGS)

soak: ## Let an agent live a busy day on a real cluster: 50,000 status updates (20 minutes)
	@.ci/prepare cluster dev
	@SOAK=50000 $(BIN)/pytest -s tests/live/test_soak.py $(ARGS)

bench: ## Measure speed and memory
	@.ci/prepare cluster dev
	@$(BIN)/python -m benchmarks $(ARGS)

dist: ## Build a wheel into dist/
	@.ci/prepare runtime
	@$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## Remove what was built and cached
	@rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## Remove .venv as well
	@rm -rf .venv
