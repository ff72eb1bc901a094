"""The scale subresource: the number of replicas of an object, as an object of its own (autoscaling/v1 Scale).

Follows pkg/registry/apps/*/storage (ScaleREST) and apiextensions-apiserver/pkg/registry/customresource/etcd.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from kplan.api.customresources import catalog_of
from kplan.api.request import Server
from kplan.schema import KindInfo

Value = dict[str, Any]

_BUILT_IN = frozenset(
    [("apps", "Deployment"), ("apps", "ReplicaSet"), ("apps", "StatefulSet"), ("", "ReplicationController")]
)
_SIGNS = {"In": "in", "NotIn": "notin"}


class Paths(NamedTuple):
    """Where the numbers stand in the object; `selector` is that of a text, or of a label selector."""

    replicas: tuple[str, ...]
    observed: tuple[str, ...]
    selector: tuple[str, ...] = ()


def paths_of(info: KindInfo, server: Server) -> Paths | None:
    """Where a kind has its scale; None for a kind without the subresource."""
    if not info.custom:
        has = (info.group, info.kind) in _BUILT_IN
        return Paths(("spec", "replicas"), ("status", "replicas"), ("spec", "selector")) if has else None
    scale = (catalog_of(server.release, server.store).crd_version(info).get("subresources") or {}).get("scale")
    if not isinstance(scale, Mapping):
        return None
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    return Paths(*(tuple(str(scale.get(n) or "").split(".")[1:]) for n in names))


def scale_of(obj: Value, paths: Paths) -> Value:
    """The Scale of an object."""
    meta = obj["metadata"]
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = _at(obj, paths.replicas)
    status = {"replicas": _at(obj, paths.observed) or 0}
    selector = _selector(_at(obj, paths.selector) if paths.selector else None)
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {n: meta[n] for n in names if n in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status | ({"selector": selector} if selector else {}),
    }


def scaled(obj: Value, replicas: int, paths: Paths) -> Value:
    """A copy of the object with another number of replicas; what is on the way to the number is copied too."""
    out = here = dict(obj)
    for step in paths.replicas[:-1]:
        inner = here.get(step)
        here[step] = dict(inner) if isinstance(inner, dict) else {}
        here = here[step]
    here[paths.replicas[-1]] = replicas
    return out


def _at(obj: Value, path: tuple[str, ...]) -> Any:
    found: Any = obj
    for step in path:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _selector(value: Any) -> str:
    """A label selector as text: `app=web,tier in (a,b),!old`."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else ""
    labels, expressions = value.get("matchLabels"), value.get("matchExpressions")
    if labels is None and expressions is None:
        labels = {k: v for k, v in value.items() if isinstance(v, str)}
    parts = [(k, f"{k}={v}") for k, v in (labels or {}).items()]
    parts += [(str(e.get("key")), _expression(e)) for e in expressions or ()]
    return ",".join(text for _, text in sorted(parts, key=lambda part: part[0]))


def _expression(expression: Value) -> str:
    key, operator = expression.get("key"), expression.get("operator")
    if operator in _SIGNS:
        return f"{key} {_SIGNS[operator]} ({','.join(sorted(expression.get('values') or ()))})"
    return f"!{key}" if operator == "DoesNotExist" else str(key)
