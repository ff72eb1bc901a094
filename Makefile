# Shortcuts; the README's commands need no make.
.PHONY: setup check test format generate bench

setup:
	python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'

check:
	.venv/bin/python tools/check.py

test:
	.venv/bin/pytest -n 2

format:
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

