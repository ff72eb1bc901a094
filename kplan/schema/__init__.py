"""Kinds and their schemas by Kubernetes release, compiled validators, and CustomResourceDefinitions of the input."""

from __future__ import annotations

from kplan.schema.catalog import Catalog, KindInfo, Node, catalog
from kplan.schema.compile import is_valid
from kplan.schema.lifecycle import Lifecycle, lifecycle, lifecycles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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


def __getattr__(name: str) -> Any:
    """What says what is wrong with an object is loaded for one with which something is."""
    if name not in ("Problem", "problems"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Not `from`: that would ask this package for the name once more.
    import sys

    __import__("kplan.schema.problems")
    return getattr(sys.modules["kplan.schema.problems"], name)
