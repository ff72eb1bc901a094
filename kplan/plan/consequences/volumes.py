"""Volumes that are kept or lost with an action, by reclaim and retention policies.

kubernetes.io/docs/concepts/storage/persistent-volumes (Reclaiming), KEP-1847 (claims of a StatefulSet).
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan import quantity
from kplan.hints import Any
from kplan.model import Action
from kplan.plan.cast import Act
from kplan.plan.consequences.scene import Scene, in_namespace, wanted
from kplan.plan.rollout import ROLLOUT
from kplan.plan.sides import Side, counted
from kplan.plan.values import get, items, submap
from kplan.store import ref_of
from kplan.workloads import pod_template

Value = dict[str, Any]

_IS_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_SIZE = ("spec", "resources", "requests", "storage")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """What becomes of the data behind an object."""
    act = scene.act(action)
    if act is None:
        return
    match action.ref.group, action.ref.kind:
        case "", "PersistentVolumeClaim" if act.old is not None and action.verb in ("delete", "replace"):
            yield _of_claim(scene.old, act.old)
            yield from _users(scene, act)
        case "", "PersistentVolumeClaim" if act.verb == "update" and act.new is not None:
            yield from _grown(scene.new, act.old, act.new)
        case "", "PersistentVolume" if act.old is not None and action.verb in ("delete", "replace"):
            yield from _of_volume(act.old)
        case "apps", "StatefulSet" if act.old is not None:
            yield from _of_set(act)
        case "apps", "Deployment" if act.new is not None and action.rollout.startswith(ROLLOUT):
            yield from _held(scene, act, act.new)


def _of_claim(side: Side, claim: Value) -> str:
    volume = get(claim, ("spec", "volumeName"))
    found = side.find("PersistentVolume", volume) if isinstance(volume, str) else None
    policy, source = "", ""
    if found is not None:
        policy, source = str(get(found, ("spec", "persistentVolumeReclaimPolicy"))), f"PersistentVolume {volume}"
    else:
        chosen = _class_of(side, claim)
        if chosen is not None:
            policy = str(chosen.get("reclaimPolicy") or "Delete")
            source = f"StorageClass {ref_of(chosen).name}"
    if policy == "Retain":
        return f"its volume is kept, but no new claim gets it by itself (reclaim policy Retain of {source})"
    if policy:
        return f"its volume and the data on it are lost (reclaim policy {policy} of {source})"
    return "its volume and the data on it are lost, unless the reclaim policy of its volume is Retain"


def _class_of(side: Side, claim: Value) -> Value | None:
    name = get(claim, ("spec", "storageClassName"))
    if isinstance(name, str):
        return side.find("StorageClass", name) if name else None
    classes = side.all("StorageClass")
    return next((c for c in classes if submap(c, "metadata", "annotations").get(_IS_DEFAULT) == "true"), None)


def _users(scene: Scene, act: Act) -> Iterator[str]:
    """Pods keep a claim from going; those that start later do not find it."""
    for w in scene.new.workloads(in_namespace(act)):
        pod = pod_template(w.value)
        volumes = items(pod.spec, "volumes") if pod is not None else []
        if any(get(v, ("persistentVolumeClaim", "claimName")) == act.key.name for v in volumes):
            yield f"it stays until the pods of {w.ref.kind} {w.ref.name} are gone, which use it"


def _grown(side: Side, old: Value | None, claim: Value) -> Iterator[str]:
    """A claim may grow where its class lets it, and never shrinks (Expanding Persistent Volumes Claims)."""
    before, after = get(old, _SIZE), get(claim, _SIZE)
    if not (isinstance(before, str) and isinstance(after, str)) or quantity.equal(before, after):
        return
    chosen = _class_of(side, claim)
    if chosen is None:
        yield f"its volume grows to {after} if its StorageClass lets it, and cannot shrink again"
    elif chosen.get("allowVolumeExpansion") is True:
        yield f"its volume grows to {after} and cannot shrink again"
    else:
        yield f"refused: StorageClass {ref_of(chosen).name} does not let volumes grow (allowVolumeExpansion)"


def _of_volume(volume: Value) -> Iterator[str]:
    claim = submap(volume, "spec", "claimRef")
    if claim:
        name = f"{claim.get('namespace')}/{claim.get('name')}"
        yield f"it stays until PersistentVolumeClaim {name} is gone, which is bound to it"
    if get(volume, ("spec", "persistentVolumeReclaimPolicy")) in ("Delete", "Recycle"):
        yield "the data on it are lost with its claim (reclaim policy Delete)"


def _held(scene: Scene, act: Act, new: Value) -> Iterator[str]:
    """Claims for one node that old pods keep while new ones are to start: these wait if they come to another node.

    kubernetes.io/docs/concepts/storage/persistent-volumes (Access Modes); the scheduler does not look at it.
    """
    course, pod = scene.course(act.key), pod_template(new)
    if course is None or pod is None or not course.gone:
        return
    moments = [m for m in course.moments[1:] if m is not None]
    if min((m.available for m in moments), default=0) < min(course.asked):
        return  # old pods stop before new ones are up
    nodes = [{get(p, ("spec", "nodeName")) for p in pods} for pods in (course.old, course.new)]
    if scene.run is not None and scene.run.nodes and nodes[0] == nodes[1] and len(nodes[0]) == 1:
        return
    for volume in items(pod.spec, "volumes"):
        name = get(volume, ("persistentVolumeClaim", "claimName"))
        claim = scene.new.find("PersistentVolumeClaim", name, in_namespace(act)) if isinstance(name, str) else None
        if get(claim, ("spec", "accessModes")) == ["ReadWriteOnce"]:
            yield f"may stick: a new pod on another node waits for claim {name} (ReadWriteOnce) until the old one stops"


def _of_set(act: Act) -> Iterator[str]:
    assert act.old is not None
    templates = items(act.old, "spec", "volumeClaimTemplates")
    if not templates:
        return
    policy = submap(act.old if act.new is None else act.new, "spec", "persistentVolumeClaimRetentionPolicy")
    before, after = wanted(act.old), wanted(act.new)
    if act.verb in ("delete", "replace"):
        if policy.get("whenDeleted") == "Delete":
            yield _claims(act, templates, range(before), "Delete")
        elif act.verb == "replace":
            yield from _kept_as_they_are(act)
    elif after < before:
        yield _claims(act, templates, range(after, before), str(policy.get("whenScaled") or "Retain"))


def _claims(act: Act, templates: list[Value], ordinals: range, policy: str) -> str:
    number = len(ordinals) * len(templates)
    name = f"{submap(templates[0], 'metadata').get('name')}-{act.key.name}-{ordinals.start}"
    what = f"claim {name}" if number == 1 else f"{counted(number, 'claim')} ({name} …)"
    if policy == "Delete":
        return f"{what} and the data are deleted (persistentVolumeClaimRetentionPolicy)"
    return f"{what} {'stays' if number == 1 else 'stay'} with the data"


def _kept_as_they_are(act: Act) -> Iterator[str]:
    """Claims that stay do not follow a changed template: the new set takes them as they are."""
    old = {submap(t, "metadata").get("name"): t for t in items(act.old, "spec", "volumeClaimTemplates")}
    for template in items(act.new, "spec", "volumeClaimTemplates"):
        before = old.get(submap(template, "metadata").get("name"))
        sizes = get(before, _SIZE), get(template, _SIZE)
        if before is not None and all(isinstance(s, str) for s in sizes) and not quantity.equal(*sizes):
            yield f"claims that exist keep {sizes[0]}: {sizes[1]} is for new ones only"
