"""Numbers of replicas that an autoscaler chose, and that an apply takes back.

`kubectl apply` sets what stands in the manifest each time; a field that leaves the manifest is deleted, and the server
fills in its default, 1 (kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale,
"Migrating Deployments and StatefulSets to horizontal autoscaling").
"""

from __future__ import annotations

from collections.abc import Iterator

from kplan.hints import Any
from kplan.model import Action
from kplan.plan.consequences.scene import Scene, in_namespace
from kplan.plan.sides import is_workload, targets
from kplan.plan.values import get, submap
from kplan.store import ref_of

Value = dict[str, Any]

_REPLICAS = ("spec", "replicas")


def lines(scene: Scene, action: Action) -> Iterator[str]:
    """What becomes of the replicas of a workload that an autoscaler looks after."""
    act = scene.act(action)
    if act is None or act.new is None or act.old is None or not is_workload(action.ref) or action.verb != "update":
        return
    scaler = next((v for v in scene.new.all("HorizontalPodAutoscaler", in_namespace(act)) if targets(v, act.ref)), None)
    if scaler is None:
        return
    name = f"HorizontalPodAutoscaler {ref_of(scaler).name}"
    manifest = scene.written[1].get(action.ref.key)
    given = get(manifest, _REPLICAS) if manifest is not None else get(act.new, _REPLICAS)
    before, after = get(act.old, _REPLICAS), get(act.new, _REPLICAS)
    if isinstance(given, int):
        spec = submap(scaler, "spec")
        most = spec.get("maxReplicas")
        chosen = f"{spec.get('minReplicas', 1)} to {most}" if isinstance(most, int) else "replicas"
        if _is_live(act.old) and before != after:
            yield f"resets the {before} replicas that {name} chose to {after}, as the manifest says"
        elif not _is_live(act.old):
            yield f"sets {given} replicas, as the manifest says, whatever {name} ({chosen}) has chosen"
    elif isinstance(before, int) and before > 1 and after in (1, before) and _leaves(scene, action, before, after):
        yield f"spec.replicas leaves the manifest, so {before} replicas become 1 until {name} scales again"


def _is_live(value: Value) -> bool:
    return bool(submap(value, "metadata").get("uid"))


def _leaves(scene: Scene, action: Action, before: Any, after: Any) -> bool:
    """Whether the manifest applied before had the number and the new one has not."""
    old = scene.written[0].get(action.before_ref.key) if action.before_ref is not None else None
    return before != after or (old is not None and isinstance(get(old, _REPLICAS), int))
