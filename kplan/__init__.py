"""kplan: a Kubernetes control plane as a pure function. The library contract; parts load when first used."""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False  # as typing has it, which takes longer to load than all that `--version` needs

__version__ = "0.1.0"

if TYPE_CHECKING:
    from typing import Any

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
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'kplan' has no attribute {name!r}")


class _Stage(ModuleType):
    """A folder that bears the name of its function (`plan`, `lint`): once it is imported, it is called in its place."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            value.__class__ = _Stage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
