# Shortcuts; the README's commands need no make.
.PHONY: setup check test format generate bench bench-peers

setup:
	python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'

check:
	.venv/bin/python tools/check.py

test:
	.venv/bin/pytest -n 2

format:
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

# Programs to compare with, built from their published modules; needs Go and the network.
bench-peers:
	while read -r module; do GOBIN=$(CURDIR)/bench/.bin go install "$$module"; done < bench/peers.txt

bench:
	.venv/bin/python bench/run.py --write docs/performance.md $(BENCH)
