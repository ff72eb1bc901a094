"""Deletion of namespaces: first their pods, then all else, then the namespace itself.

Follows pkg/controller/namespace (namespace_controller.go, deletion/namespaced_resources_deleter.go) and KEP-5080
(OrderedNamespaceDeletion, on by default since 1.33). The first pass comes some seconds after the call; a pass that
leaves something behind is repeated after half the time that the rest should take, at the latest when something changes.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from kplan.api.customresources import catalog_of
from kplan.api.deletion import BACKGROUND
from kplan.controllers import pods
from kplan.controllers.control import Control
from kplan.controllers.manager import Controller
from kplan.controllers.namespaceconditions import Remainder, with_conditions
from kplan.model import Key, split_api_version
from kplan.store import Write, ref_of

Value = dict[str, Any]

DELAY = 5.0  # seconds between the call and the first pass (namespaceDeletionGracePeriod)
FINALIZER = "kubernetes"
_FINALIZER_ESTIMATE = 15  # seconds that objects with finalizers are given (finalizerEstimateSeconds)
_ORDERED_SINCE = 33


def is_active(namespace: Value) -> bool:
    """Whether a namespace is not being deleted."""
    phase = (namespace.get("status") or {}).get("phase") or "Active"
    return phase == "Active" and not namespace["metadata"].get("deletionTimestamp")


def reconcile(key: Key, control: Control) -> None:
    """One pass over a namespace that is being deleted."""
    namespace = control.get(key)
    deleted_at = namespace["metadata"].get("deletionTimestamp") if namespace is not None else None
    if namespace is None or not deleted_at or not _finalizers(namespace):
        return
    age = control.since(deleted_at)
    if age < DELAY:
        control.wake(DELAY - age)
        return
    before = control.store.revision
    namespace = control.status(namespace, {**(namespace.get("status") or {}), "phase": "Terminating"})
    rest = _delete_content(key.name, age, control)
    namespace = control.status(namespace, with_conditions(namespace, rest, control.now))
    if rest.is_empty and not rest.errors:
        kept = [f for f in _finalizers(namespace) if f != FINALIZER]
        control.update({**namespace, "spec": {**namespace["spec"], "finalizers": kept}})
    elif control.store.revision != before:
        control.wake(rest.estimate // 2 + 1)
    else:
        control.retry()


def _finalizers(namespace: Value) -> list[str]:
    return list((namespace.get("spec") or {}).get("finalizers") or ())


def _delete_content(name: str, age: float, control: Control) -> Remainder:
    """Delete what is in a namespace, as far as the order allows; `age` is how many seconds ago its deletion began."""
    finalizers: Counter[str] = Counter()
    errors: list[str] = []
    if control.minor >= _ORDERED_SINCE:
        left, estimate, error = _delete_all(list(control.store.all("Pod", name)), name, age, control)
        if error:
            errors.append(f"failed to delete pods for namespace: {name}, err: {error}")
        if left:
            return Remainder(None, finalizers, errors, estimate)
    by_kind: dict[tuple[str, str], list[Value]] = {}
    for obj in control.store.all(namespace=name):
        by_kind.setdefault((obj["apiVersion"], obj["kind"]), []).append(obj)
    counts: Counter[str] = Counter()
    longest = 0
    for objects in by_kind.values():
        left, estimate, error = _delete_all(objects, name, age, control)
        if error:
            errors.append(error)
        longest = max(longest, estimate)
        if left:
            counts[".".join(_resource(left[0], control))] = len(left)
            finalizers.update(f for o in left for f in o["metadata"].get("finalizers") or ())
    return Remainder(counts, finalizers, errors, longest)


def _delete_all(objects: list[Value], name: str, age: float, control: Control) -> tuple[list[Value], int, str]:
    """Delete objects of one kind: what is left, seconds until that should be gone, and the error if it never will."""
    grace = max((_grace(o) for o in objects), default=0)
    for obj in objects:
        control.delete(obj, BACKGROUND)
    left = [found for o in objects if (found := control.get(ref_of(o).key)) is not None]
    if not left or age < grace:
        return left, grace if left else 0, ""
    if any(o["metadata"].get("finalizers") for o in left):
        return left, _FINALIZER_ESTIMATE, ""
    group, version = split_api_version(left[0]["apiVersion"])
    gvr = f"{group}/{version}, Resource={_resource(left[0], control)[0]}"
    return left, 0, f"unexpected items still remain in namespace: {name} for gvr: {gvr}"


def _grace(obj: Value) -> int:
    """Seconds that a pod may take to end."""
    if obj["kind"] != "Pod" or pods.has_ended(obj):
        return 0
    return int(obj["spec"].get("terminationGracePeriodSeconds") or 0)


def _resource(obj: Value, control: Control) -> tuple[str, str]:
    """The resource of a kind and its group."""
    group, _ = split_api_version(obj["apiVersion"])
    info = catalog_of(control.version, control.store).kind(obj["apiVersion"], obj["kind"])
    return info.plural if info is not None else obj["kind"].lower(), group


def _deleted(write: Write, control: Control) -> list[Key]:  # noqa: ARG001 - one shape for every route
    if write.new is None or not write.new["metadata"].get("deletionTimestamp"):
        return []
    known = write.old is not None and write.old["metadata"].get("deletionTimestamp")
    return [] if known else [write.key]


CONTROLLER = Controller("namespace", {"Namespace": _deleted}, reconcile)
