"""Services that lose all their endpoints, for good or for a while."""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Action
from kplan.plan.cast import Act
from kplan.plan.consequences.scene import Scene, in_namespace, key_of
from kplan.plan.sides import Workload, is_workload, of_service
from kplan.plan.values import get, submap
from kplan.store import ref_of
from kplan.workloads import pod_template

Value = dict[str, Any]


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """The Services whose endpoints go empty because of an action."""
    act = scene.act(action)
    if act is None:
        return
    if (action.ref.group, action.ref.kind) == ("", "Service"):
        yield from _of_service(scene, act)
    elif is_workload(action.ref):
        yield from _of_workload(scene, act)


def _of_service(scene: Scene, act: Act) -> Iterator[str]:
    if act.old is None or act.new is None:
        return
    namespace = in_namespace(act)
    before = [(w.ref.kind, w.ref.name) for w in scene.old.selected(namespace, of_service(act.old))]
    after = [(w.ref.kind, w.ref.name) for w in scene.new.selected(namespace, of_service(act.new))]
    if before and not after and submap(act.new, "spec", "selector"):
        yield "its selector matches no pods any more: its endpoints go empty"
    elif before and after and not set(before) & set(after):
        yield f"it sends to {_names(scene.new.selected(namespace, of_service(act.new)))} from now on"


def _names(workloads: list[Workload]) -> str:
    named = [f"{w.ref.kind} {w.ref.name}" for w in workloads]
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def _of_workload(scene: Scene, act: Act) -> Iterator[str]:
    if act.old is None:
        return
    namespace = in_namespace(act)
    pod = pod_template(act.old)
    have = pod.labels if pod is not None else {}
    for service in scene.new.all("Service", namespace):
        if not of_service(service)(have):
            continue
        name = ref_of(service).name
        left = scene.new.selected(namespace, of_service(service))
        if not left:
            yield f"Service {name} is left without endpoints"
        elif get(service, ("spec", "publishNotReadyAddresses")) is not True and _gap(scene, left):
            yield f"Service {name} has no ready endpoints for a while"


def _gap(scene: Scene, workloads: list[Workload]) -> bool:
    """Whether at some rest none of these workloads has a ready pod, though some had before and some have after."""
    courses = [scene.course(key_of(w)) for w in workloads]
    totals: list[int] | None = None
    for course in courses:
        if course is None or not course.moments:
            return False  # nobody knows how many of its pods are ready
        ready = [m.ready if m is not None else 0 for m in course.moments]
        totals = ready if totals is None else [a + b for a, b in zip(totals, ready, strict=True)]
    return bool(totals) and totals is not None and totals[0] > 0 and min(totals) == 0
