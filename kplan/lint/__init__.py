"""Lint: schema, API server, references and rules over manifests; findings with their places."""

from __future__ import annotations

from kplan.lint.run import judge, lint

__all__ = ["judge", "lint"]
