# voiceroom: two commands do everything on a fresh machine, `make run` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
ARGS ?=
export PYTHONUNBUFFERED = 1

.PHONY: help
help: ## what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: run
run: ## a voice room on this machine; ARGS="..." passes options on
	@scripts/setup run
	@exec $(BIN)/voiceroom-mixer run examples/lobby.yaml $(ARGS)

.PHONY: cluster
cluster: ## a real Kubernetes on this machine with a room in it (Linux, root); ARGS="--bare" without
	@scripts/setup cluster
	@PYTHONPATH=scripts $(BIN)/python -m localcluster up $(ARGS)

.PHONY: cluster-down
cluster-down: ## end it and leave nothing behind
	@scripts/setup dev
	@PYTHONPATH=scripts $(BIN)/python -m localcluster down $(ARGS)

.PHONY: demo-drift
demo-drift: ## a node of a real cluster stalls and the room moves, told while it happens (Linux, root)
	@scripts/setup cluster
	@exec env PYTHONPATH=scripts:tests $(BIN)/python -m demo $(ARGS)

.PHONY: e2e
e2e: ## the tests on a cluster: on KUBECONFIG when VOICEROOM_E2E_CONTEXT names its context, else one of ours
	@scripts/setup cluster
	@$(BIN)/python -m pytest -q tests/cluster $(ARGS)

.PHONY: test
test: ## every test, all tiers
	@scripts/setup test
	@$(BIN)/python scripts/stages.py all

.PHONY: test-fast
test-fast: ## unit and property tests
	@scripts/setup dev
	@$(BIN)/python scripts/stages.py fast

.PHONY: lint
lint: ## ruff, formatting, import layers
	@scripts/setup dev
	@$(BIN)/python scripts/stages.py lint

.PHONY: type
type: ## mypy --strict on source and tests
	@scripts/setup dev
	@$(BIN)/python scripts/stages.py type

.PHONY: fuzz
fuzz: ## the parsers against a million hostile inputs (long)
	@scripts/setup dev
	@VOICEROOM_HYPOTHESIS=fuzz $(BIN)/python -m pytest tests/property -q --timeout=3600

.PHONY: bench
bench: ## figures beside peers, in bench/RESULTS.md
	@scripts/setup bench
	@$(BIN)/python -m bench $(ARGS)

.PHONY: bench-cluster
bench-cluster: ## the operator with 1,000 rooms on 20 pods, in bench/CLUSTER.md (Linux, root)
	@scripts/setup cluster
	@PYTHONPATH=scripts $(BIN)/python -m bench.cluster $(ARGS)

.PHONY: generate
generate: ## write the files that are made from others
	@scripts/setup dev
	@$(BIN)/python scripts/generate.py

.PHONY: format
format: ## ruff format and its safe fixes
	@scripts/setup dev
	@$(BIN)/ruff check --fix --quiet . && $(BIN)/ruff format --quiet .

.PHONY: lock
lock: ## resolve the dependencies anew into requirements/*.lock
	@scripts/setup dev
	@scripts/lock

.PHONY: clean
clean: ## remove what make built in this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/out tests/out
