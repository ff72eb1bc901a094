"""Kinds and their schemas by Kubernetes release, compiled validators, and CustomResourceDefinitions of the input."""

from __future__ import annotations

from kplan.schema.catalog import Catalog, KindInfo, Node, catalog
from kplan.schema.compile import is_valid
from kplan.schema.lifecycle import Lifecycle, lifecycle, lifecycles
from kplan.schema.problems import Problem, problems

__all__ = [
    "Catalog",
    "KindInfo",
    "Lifecycle",
    "Node",
    "Problem",
    "catalog",
    "is_valid",
    "lifecycle",
    "lifecycles",
    "problems",
]
