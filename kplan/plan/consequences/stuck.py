"""What will not work: actions that the API server refuses, objects that do not go, rollouts that stick."""

from __future__ import annotations

from collections.abc import Iterator

from kplan import graph
from kplan.hints import Any
from kplan.model import Action, Key, Object
from kplan.plan.cast import Act
from kplan.plan.consequences.scene import Course, Moment, Scene, in_namespace, is_up
from kplan.plan.sides import counted, is_workload
from kplan.plan.values import get, items, submap
from kplan.store import ref_of

Value = dict[str, Any]

_PROTECTION = {"kubernetes.io/pvc-protection": "a pod uses it", "kubernetes.io/pv-protection": "a claim is bound to it"}
_CREATING = "Error creating: "
_UNBOUND = "unbound immediate PersistentVolumeClaims"  # whoever makes volumes is no part of Kubernetes
_NOT_STARTED = ("Failed", "FailedMount", "FailedAttachVolume")
_WAITING = ("ContainerCreating", "PodInitializing")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """What stands in the way of an action."""
    act, run = scene.act(action), scene.run
    if act is None or run is None:
        return
    if act.key in run.refused:
        yield f"will be refused: {run.refused[act.key]}"
        return
    if act.key in run.held:
        why = [_PROTECTION.get(f, f"finalizer {f}") for f in run.held[act.key]]
        yield f"will not be replaced as long as {' and '.join(why)}"
        return
    if is_workload(action.ref) and action.verb != "delete":
        yield from _stuck(scene, act)


def _stuck(scene: Scene, act: Act) -> Iterator[str]:
    run, course = scene.run, scene.course(act.key)
    if run is None or course is None:
        return
    why = _missing(scene, act) if course.come else ""
    complete = _is_complete(scene, act, course)
    if not why and not complete:
        why = _failure(scene, act) or _refused_pods(scene, act) or _pod_trouble(scene, course)
    if why:
        progress = "" if complete else _progress(act, course)
        yield f"{'rollout ' if act.verb == 'update' else ''}will stick: {why}{progress}"


def _is_complete(scene: Scene, act: Act, course: Course) -> bool:
    """Whether all pods that are wanted are there and up."""
    if act.ref.kind == "DaemonSet":
        assert scene.run is not None
        status = submap(scene.run.after.get(act.key), "status")
        want = status.get("desiredNumberScheduled") or 0
    elif act.ref.kind == "Job":
        return _job_is_fine(scene, act)
    else:
        want = 1 if act.ref.kind == "Pod" else course.asked[1]
    if act.ref.kind == "Deployment" and get(act.new, ("spec", "paused")) is not True:
        last = course.moments[-1] or Moment()
        return last.pods == last.updated == last.available == want
    return sum(map(is_up, course.new)) >= want


def _job_is_fine(scene: Scene, act: Act) -> bool:
    assert scene.run is not None
    status = submap(scene.run.after.get(act.key), "status")
    failed = any(c.get("type") == "Failed" and c.get("status") == "True" for c in items(status, "conditions"))
    return not failed and not status.get("active")


def _failure(scene: Scene, act: Act) -> str:
    """What a Job says of its failure."""
    assert scene.run is not None
    for c in items(scene.run.after.get(act.key), "status", "conditions"):
        if act.ref.kind == "Job" and c.get("type") == "Failed" and c.get("status") == "True":
            return f"the Job fails: {c.get('message')}"
    return ""


def _missing(scene: Scene, act: Act) -> str:
    """A ConfigMap or Secret that the pods need and that surely is not there."""
    assert act.new is not None
    for edge in graph.build([Object(act.ref, act.new)]).edges:
        target = edge.target
        if not isinstance(target, Key) or target.kind not in ("ConfigMap", "Secret") or edge.optional:
            continue
        if scene.is_missing(target.kind, target.name, in_namespace(act)):
            return f"{target.kind} {target.name} is missing, and its pods need it ({edge.kind})"
    return ""


def _refused_pods(scene: Scene, act: Act) -> str:
    """What the API server last said to a controller that wanted to create the pods."""
    run = scene.run
    assert run is not None
    owner = run.after.get(act.key)
    makers = {f"{act.key.kind}/{act.key.name}"}
    if owner is not None:
        made = run.after.dependents(str(submap(owner, "metadata").get("uid") or "-"))
        makers |= {f"{v['kind']}/{ref_of(v).name}" for v in made}
    told = [e for e in run.events if e.object in makers and e.namespace == act.key.namespace]
    failures = [e for e in told if e.type == "Warning" and e.reason in ("FailedCreate", "ReplicaSetCreateError")]
    if not failures:
        return ""
    message = failures[-1].message.removeprefix(_CREATING)
    return f"no pod can be created: {message.rpartition(' is forbidden: ')[2]}"


def _pod_trouble(scene: Scene, course: Course) -> str:
    """What keeps the first pod that is not up from serving."""
    assert scene.run is not None
    for pod in course.new:
        if is_up(pod):
            continue
        name, status = ref_of(pod).name, submap(pod, "status")
        for c in items(status, "conditions"):
            if c.get("type") == "PodScheduled" and c.get("status") == "False" and scene.run.nodes:
                message = str(c.get("message") or c.get("reason"))
                return "" if _UNBOUND in message else f"pod {name} does not fit: {_headline(message)}"
        for state in items(status, "containerStatuses"):
            waiting = submap(state, "state", "waiting")
            if waiting and waiting.get("reason") not in _WAITING:
                said = waiting.get("message") or waiting.get("reason")
                return f"container {state.get('name')} of pod {name} does not start: {said}"
        for e in reversed(scene.run.events):
            if e.object == f"Pod/{name}" and e.type == "Warning" and e.reason in _NOT_STARTED:
                return f"pod {name} does not start: {e.message}"
        if status.get("phase") == "Running":
            return f"pod {name} does not become ready"
    return ""


def _headline(message: str) -> str:
    """The scheduler's message without what it says about preemption and claims."""
    return message.partition(" no new claims to deallocate")[0].partition(" preemption: ")[0]


def _progress(act: Act, course: Course) -> str:
    """How far a rollout gets, and how many of the old pods still serve."""
    if act.verb != "update" or not course.old or not course.moments:
        return ""
    serving = sum(map(is_up, course.stayed))
    step = max(len(course.steps), 1)
    return f"; first stuck at step {step}, {serving} of {counted(len(course.old), 'old pod')} still serve"
