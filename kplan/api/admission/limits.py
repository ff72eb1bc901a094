"""LimitRanger: what a namespace's LimitRanges fill in, and what they forbid.

Follows plugin/pkg/admission/limitranger/admission.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan import quantity, resourcelist
from kplan.api.request import CREATE, Request
from kplan.hints import Any
from kplan.resourcelist import Amounts

Value = dict[str, Any]

ANNOTATION = "kubernetes.io/limit-ranger"
LISTS = (("containers", "container"), ("initContainers", "init container"))


def mutate(obj: Value, request: Request) -> None:
    """Give every container the defaults of the namespace, and note it in an annotation."""
    if request.operation != CREATE:
        return
    for limit_range in _ranges(request):
        notes = []
        for field, word in LISTS:
            for c in obj["spec"].get(field) or ():
                notes += _fill(c, word, limit_range)
        if notes:
            annotations = obj["metadata"].setdefault("annotations", {})
            annotations[ANNOTATION] = "LimitRanger plugin set: " + "; ".join(notes)


def _ranges(request: Request) -> list[Value]:
    if request.store is None:
        return []
    return sorted(request.store.all("LimitRange", request.namespace), key=lambda r: str(r["metadata"]["name"]))


def _items(limit_range: Value, type_: str) -> Iterator[Value]:
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        if item.get("type") == type_:
            yield item


def _fill(container: Value, word: str, limit_range: Value) -> list[str]:
    notes = []
    for side, source in (("requests", "defaultRequest"), ("limits", "default")):
        own = (container.get("resources") or {}).get(side) or {}
        new = {k: v for i in _items(limit_range, "Container") for k, v in (i.get(source) or {}).items() if k not in own}
        if new:
            container.setdefault("resources", {})[side] = {**own, **new}
            notes.append(f"{', '.join(sorted(new))} {side[:-1]} for {word} {container.get('name')}")
    return notes


def validate(obj: Value, request: Request) -> None:
    """Refuse what is outside a LimitRange; the first one that is broken answers."""
    if request.kind == "Pod" and request.operation != CREATE:
        return
    for limit_range in _ranges(request):
        broken = _claim_errors(obj, limit_range) if request.kind != "Pod" else _pod_errors(obj, limit_range)
        if broken:
            raise request.forbidden(broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]")


def _pod_errors(obj: Value, limit_range: Value) -> list[str]:
    spec: Value = obj["spec"]
    errors = []
    for item in (limit_range.get("spec") or {}).get("limits") or ():
        if item.get("type") == "Container":
            for c in (c for field, _ in LISTS for c in spec.get(field) or ()):
                requests = resourcelist.of_container(c, "requests")
                errors += _errors("Container", item, requests, resourcelist.of_container(c, "limits"))
        elif item.get("type") == "Pod":
            errors += _errors("Pod", item, resourcelist.of_pod(spec, "requests"), resourcelist.of_pod(spec, "limits"))
    return list(dict.fromkeys(errors))


def _claim_errors(obj: Value, limit_range: Value) -> list[str]:
    requests = resourcelist.amounts(((obj["spec"].get("resources")) or {}).get("requests"))
    errors = []
    for item in _items(limit_range, "PersistentVolumeClaim"):
        for name, bound in sorted((item.get("min") or {}).items()):
            errors += _minimum("PersistentVolumeClaim", name, bound, requests.get(name), None)
        for name, bound in sorted((item.get("max") or {}).items()):
            errors += _maximum("PersistentVolumeClaim", name, bound, ("request", requests.get(name)), ("", None))
    return errors


def _errors(type_: str, item: Value, requests: Amounts, limits: Amounts) -> list[str]:
    errors = []
    for name, bound in sorted((item.get("min") or {}).items()):
        errors += _minimum(type_, name, bound, requests.get(name), limits.get(name))
    for name, bound in sorted((item.get("max") or {}).items()):
        errors += _maximum(type_, name, bound, ("limit", limits.get(name)), ("request", requests.get(name)))
    for name, bound in sorted((item.get("maxLimitRequestRatio") or {}).items()):
        errors += _ratio(type_, name, bound, requests.get(name), limits.get(name))
    return errors


def _minimum(type_: str, name: str, bound: Any, request: int | None, limit: int | None) -> list[str]:
    enforced = quantity.parse(str(bound))
    head = f"minimum {name} usage per {type_} is {enforced}"
    if request is None:
        return [f"{head}.  No request is specified"]
    if request < enforced.nanos:
        return [f"{head}, but request is {resourcelist.text(name, request)}"]
    if limit is not None and limit < enforced.nanos:
        return [f"{head}, but limit is {resourcelist.text(name, limit)}"]
    return []


def _maximum(
    type_: str, name: str, bound: Any, needed: tuple[str, int | None], other: tuple[str, int | None]
) -> list[str]:
    enforced = quantity.parse(str(bound))
    head = f"maximum {name} usage per {type_} is {enforced}"
    if needed[1] is None:
        return [f"{head}.  No {needed[0]} is specified"]
    for word, amount in (needed, other):
        if amount is not None and amount > enforced.nanos:
            return [f"{head}, but {word} is {resourcelist.text(name, amount)}"]
    return []


def _ratio(type_: str, name: str, bound: Any, request: int | None, limit: int | None) -> list[str]:
    enforced = quantity.parse(str(bound))
    head = f"{name} max limit to request ratio per {type_} is {enforced}"
    for word, amount in (("request", request), ("limit", limit)):
        if not amount:
            return [f"{head}, but no {word} is specified or {word} is 0"]
    assert request
    assert limit
    if limit * 10**9 > enforced.nanos * request:
        return [f"{head}, but provided ratio is {limit / request:f}"]
    return []
