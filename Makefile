# Collect's front door: `make run` and `make test` need nothing but Debian 12 and this file.
# `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
JOBS ?= $(shell nproc)
# Test programs that run at once: one more than two cores, as most of them wait for time to pass or for servers. Each may
# start a PostgreSQL and a Redis of its own.
TEST_JOBS ?= 3
DEV := scripts/dev

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Run
.PHONY: run run-qa build deb
run: build ## build and start Collect on its embedded engine; the first start makes a system to try
	@scripts/run

run-qa: build ## build and start Collect with the settings in .env.qa
	@[ -f .env.qa ] || { echo "There is no .env.qa here: write the settings of the QA environment into it (build/collect config explain lists them)." >&2; exit 1; }
	@ENV_FILE=.env.qa build/collect serve

build: packages-build ## the release binary, build/collect
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target collect

deb: packages-build ## the Debian package, dist/collect_*.deb
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target collect man_page
	@cpack --config build/CPackConfig.cmake -B build/deb >build/deb.log || { cat build/deb.log; exit 1; }
	@mkdir -p dist && mv build/deb/collect_*.deb dist/ && ls -l dist/collect_*.deb

## Test
.PHONY: test test-faults test-threads test-package bench bench-history bench-retention test-coverage fuzz fuzz-proxy fmt lint clean
test: packages-test ## build everything and run all tests, with PostgreSQL and Redis of their own
	@cmake --preset release
	@cmake --build --preset release --parallel $(JOBS)
	@ctest --preset release --parallel $(TEST_JOBS)

test-faults: packages-test ## break everything by chance for MINUTES and see that nothing is lost; SEED=1 tells a trial again
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target faults_servers_test faults_door_test faults_calls_test faults_writes_test faults_random
	@scripts/faults --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

test-threads: packages-test ## run all tests under the thread sanitizer, an hour or two; TARGET=kills_test only that
	@TEST_JOBS=$(TEST_JOBS) scripts/threads $(TARGET)

bench: packages-test ## measure the hot parts and the whole process on each engine; adds a line to bench/results.md
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target collect hot_parts_bench
	@bench/run.py

bench-retention: packages-test build ## prune three years of 1,000 systems on each engine, and check what stays
	@cmake --build --preset release --parallel $(JOBS) --target retention_fill
	@bench/retention.py

bench-history: packages-test build ## measure pages of the operator's API where ten million diffs are stored (10 GB, some minutes)
	@bench/history.py

test-coverage: packages-coverage ## run all tests instrumented and say how much of src/ they reach
	@cmake --preset coverage
	@cmake --build --preset coverage --parallel $(JOBS)
	@find build-coverage -name '*.gcda' -delete
	@ctest --preset coverage --parallel $(TEST_JOBS)
	@gcovr --root . --object-directory build-coverage --filter src/ --exclude '.*_test\.cc' \
	  --exclude-throw-branches -j $(JOBS) --print-summary --html-details build-coverage/coverage.html
	@echo "Line by line: build-coverage/coverage.html"

MINUTES ?= 1
fuzz: packages-fuzz ## fuzz everything that parses for MINUTES each, two at a time; TARGET=gate only that (fuzz/README.md)
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build --preset fuzz --parallel $(JOBS)
	@scripts/fuzz --seconds $$(($(MINUTES) * 60)) $(TARGET)

CASES ?= 1000000
fuzz-proxy: packages-test ## try CASES mutated requests on the Alertmanager's proxy; COLLECT_TEST_SEED repeats a run
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target proxy_fuzz_test
	@COLLECT_FUZZ_CASES=$(CASES) build/proxy_fuzz_test

test-package: packages-test packages-clean ## install, upgrade and purge the package on a Debian 12 that has nothing else
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --parallel $(JOBS) --target package_test
	@tests/package/check.py build clean

fmt: packages-lint ## lay out all sources (clang-format)
	@scripts/format

lint: packages-lint build ## look for bugs (clang-tidy) and for wrong layout
	@scripts/format --check
	@scripts/lint

clean: ## remove what was built; data and development servers stay
	@rm -rf build build-dev build-tsan build-coverage build-fuzz

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
.PHONY: packages-build packages-test packages-clean packages-coverage packages-fuzz packages-lint packages-all
packages-build:
	@scripts/install_packages build
packages-test:
	@scripts/install_packages build test
	@scripts/install_s3rver
packages-clean:
	@scripts/install_packages clean
packages-coverage:
	@scripts/install_packages build test coverage
	@scripts/install_s3rver
packages-fuzz:
	@scripts/install_packages build test fuzz
packages-lint:
	@scripts/install_packages build test lint
packages-all:
	@scripts/install_packages build test lint
	@scripts/install_s3rver
