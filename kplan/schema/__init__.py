"""Kinds and their schemas by Kubernetes release, compiled validators, and CustomResourceDefinitions of the input.

What is wrong with an object that is not valid, `kplan.schema.problems` says.
"""

from __future__ import annotations

from kplan.schema.catalog import Catalog, KindInfo, Node, catalog
from kplan.schema.compile import is_valid
from kplan.schema.lifecycle import Lifecycle, lifecycle, lifecycles

__all__ = [
    "Catalog",
    "KindInfo",
    "Lifecycle",
    "Node",
    "catalog",
    "is_valid",
    "lifecycle",
    "lifecycles",
]
