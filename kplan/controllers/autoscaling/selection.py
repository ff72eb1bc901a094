"""The pods that a selector finds, by an index that is made anew when pods have changed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from kplan import labels
from kplan.store import Store

Value = dict[str, Any]


class Selector(NamedTuple):
    """A label selector as text, and its conditions; "" is the selector of a scale that has none."""

    text: str
    conditions: tuple[labels.Requirement, ...]

    @classmethod
    def of(cls, text: str) -> Selector:
        """The selector of a text; one that cannot be read selects nothing."""
        return cls(text, _conditions(text))

    def matches(self, have: dict[str, str] | None) -> bool:
        """Whether the selector selects these labels; one without conditions selects nothing."""
        return bool(self.conditions) and labels.match_all(self.conditions, have or {})


@lru_cache(maxsize=4096)
def _conditions(text: str) -> tuple[labels.Requirement, ...]:
    try:
        return tuple(labels.parse(text))
    except ValueError:
        return ()


class PodIndex:
    """Pods by namespace and label."""

    def __init__(self) -> None:
        self._at = -1
        self._pods: dict[tuple[str, str, str], list[Value]] = {}

    def select(self, namespace: str, selector: Selector, store: Store) -> list[Value]:
        """The pods of a namespace that a selector finds."""
        exact = next((c for c in selector.conditions if c.operator == "In" and len(c.values) == 1), None)
        if exact is None:
            pool = list(store.all("Pod", namespace))
        else:
            self._refresh(store)
            pool = self._pods.get((namespace, exact.key, exact.values[0]), [])
        return [p for p in pool if selector.matches(p["metadata"].get("labels"))]

    def _refresh(self, store: Store) -> None:
        if self._at == store.changes("Pod"):
            return
        self._at = store.changes("Pod")
        self._pods = {}
        for pod in store.all("Pod"):
            namespace = pod["metadata"].get("namespace", "")
            for key, value in (pod["metadata"].get("labels") or {}).items():
                self._pods.setdefault((namespace, key, value), []).append(pod)
