# Collect's front door: `make run` and `make test` need nothing but Debian 12 and this file.
# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# Test programs that run at once. Each may start a PostgreSQL and a Redis of its own.
TEST_JOBS ?= 2
DEV := scripts/dev

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Run
.PHONY: run run-qa build
run: build ## build and start Collect on its embedded engine; the first start makes a system to try
	@scripts/run

run-qa: build ## build and start Collect with the settings in .env.qa
	@[ -f .env.qa ] || { echo "There is no .env.qa here: write the settings of the QA environment into it (build/collect config explain lists them)." >&2; exit 1; }
	@ENV_FILE=.env.qa build/collect serve

build: packages-build ## the release binary, build/collect
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target collect

## Test
.PHONY: test test-coverage fmt lint clean
test: packages-test ## build everything and run all tests, with PostgreSQL and Redis of their own
	@cmake --preset release
	@cmake --build --preset release --parallel $(JOBS)
	@ctest --preset release --parallel $(TEST_JOBS)

test-coverage: packages-coverage ## run all tests instrumented and say how much of src/ they reach
	@cmake --preset coverage
	@cmake --build --preset coverage --parallel $(JOBS)
	@find build-coverage -name '*.gcda' -delete
	@ctest --preset coverage --parallel $(TEST_JOBS)
	@gcovr --root . --object-directory build-coverage --filter src/ --exclude '.*_test\.cc' \
	  --exclude-throw-branches -j $(JOBS) --print-summary --html-details build-coverage/coverage.html
	@echo "Line by line: build-coverage/coverage.html"

fmt: packages-lint ## lay out all sources (clang-format)
	@scripts/format

lint: packages-lint build ## look for bugs (clang-tidy) and for wrong layout
	@scripts/format --check
	@scripts/lint

clean: ## remove what was built; data and development servers stay
	@rm -rf build build-dev build-tsan build-coverage

## Development servers
.PHONY: dev-setup dev-up dev-down db-up db-down db-reset redis-up redis-down redis-flush redis-cli
dev-setup: packages-all ## install every package that development needs and configure the build
	@cmake --preset release
	@echo "Ready. Next: make run, make test, make dev-up."

dev-up: ## start PostgreSQL and Redis for development; prints their URLs
	@$(DEV) up

dev-down: ## stop both; their data stays
	@$(DEV) down

db-up: ## start PostgreSQL alone
	@$(DEV) db-up

db-down: ## stop PostgreSQL alone
	@$(DEV) db-down

db-reset: ## empty the development database
	@$(DEV) db-reset

redis-up: ## start Redis alone
	@$(DEV) redis-up

redis-down: ## stop Redis alone
	@$(DEV) redis-down

redis-flush: ## empty the development Redis
	@$(DEV) redis-flush

redis-cli: ## a prompt on the development Redis; ARGS='-n 1 llen collect:inventory' asks one thing
	@$(DEV) redis-cli $(ARGS)

## Packages
.PHONY: packages-build packages-test packages-coverage packages-lint packages-all
packages-build:
	@scripts/install_packages build
packages-test:
	@scripts/install_packages build test
packages-coverage:
	@scripts/install_packages build test coverage
packages-lint:
	@scripts/install_packages build test lint
packages-all:
	@scripts/install_packages build test lint
