"""kplan: a Kubernetes control plane as a pure function. The library contract; parts load when first used."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kplan.api import admit
    from kplan.cluster import Cluster, schedule
    from kplan.lint import lint
    from kplan.plan import plan
    from kplan.source import load

_HOMES = {
    "admit": "kplan.api",
    "Cluster": "kplan.cluster",
    "schedule": "kplan.cluster",
    "lint": "kplan.lint",
    "plan": "kplan.plan",
    "load": "kplan.source",
}

__all__ = ["Cluster", "__version__", "admit", "lint", "load", "plan", "schedule"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kplan' has no attribute {name!r}")


class _Package(ModuleType):
    """A stage that is named as its folder (`plan`, `lint`) stays the function when that folder is imported."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
