"""Where pods are inside objects: the pod template of each workload kind, and the containers of a pod spec.

Any custom resource that carries a pod template under a usual path is taken as a workload too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kplan.hints import Any
from kplan.model import Object, Path
from kplan.tuples import NamedTuple

Value = dict[str, Any]

POD_PATHS: Mapping[str, Path] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


class PodTemplate(NamedTuple):
    """A pod inside an object: the path of the part that has `metadata` and `spec`, and that part."""

    path: Path
    value: Value

    @property
    def spec(self) -> Value:
        """The pod spec; {} when absent or of a wrong type."""
        spec = self.value.get("spec")
        return spec if isinstance(spec, dict) else {}

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the pods will carry, without those that controllers add."""
        meta = self.value.get("metadata")
        labels = meta.get("labels") if isinstance(meta, dict) else None
        return {k: v for k, v in labels.items() if isinstance(v, str)} if isinstance(labels, dict) else {}


class Container(NamedTuple):
    """A container, its path in the object and which list it stands in."""

    path: Path
    value: Value
    role: str

    @property
    def runs_along(self) -> bool:
        """Whether it runs beside the main containers: a normal container or a sidecar."""
        return self.role == "containers" or (
            self.role == "initContainers" and self.value.get("restartPolicy") == "Always"
        )


def get(value: object, *path: str | int) -> Any:
    """The value at a path, or None where the way there is absent or of another type."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def dicts(value: object, *path: str | int) -> list[Value]:
    """The mappings in the list at a path; [] where there is no list."""
    items = get(value, *path)
    return [v for v in items if isinstance(v, dict)] if isinstance(items, list) else []


def pod_template(obj: Value) -> PodTemplate | None:
    """The pod that an object is or makes; None for an object that makes none."""
    path = POD_PATHS.get(str(obj.get("kind")))
    if path is None:
        path = ("spec", "template")
        spec = get(obj, "spec", "template", "spec")
        if not (isinstance(spec, dict) and isinstance(spec.get("containers"), list)):
            return None
    found = get(obj, *path)
    return PodTemplate(path, found) if isinstance(found, dict) else None


def may_make_pods(obj: Object) -> bool:
    """Whether an object may be or make pods; False for those of a layout that has no template of one."""
    if obj.ref.kind in POD_PATHS or obj.document is None or obj.document.layout is None:
        return True
    layout = obj.document.layout[0]
    if "pods" not in layout.plans:
        layout.plans["pods"] = layout.at(("spec", "template", "spec", "containers")) is not None
    return bool(layout.plans["pods"])


def slim_pod(obj: Object, *fields: str) -> PodTemplate | None:
    """The pod that an object is or makes, perhaps with no more than the labels, the resources and in each container the
    name, the restart policy and these fields: of a document with a layout no more is made than that."""
    path = POD_PATHS.get(obj.ref.kind)
    if obj.document is None or obj.document.layout is None:
        return pod_template(obj.value)
    if path is None:
        has_one = isinstance(obj.part("spec", "template", "spec", "containers"), list)
        return pod_template(obj.value) if has_one else None
    layout, slots = obj.document.layout
    found = layout.view(("slim pod", path, fields), slots, lambda tree: _slim(tree, path, fields))
    return PodTemplate(path, found) if isinstance(found, dict) else None


def _slim(tree: Any, path: Path, fields: tuple[str, ...]) -> Any:
    """What `slim_pod` wants of a tree; None where the way to the pod does not lead over mappings."""
    for step in path:
        tree = tree.get(step) if isinstance(tree, dict) else None
    if not isinstance(tree, dict) or not isinstance(tree.get("spec", {}), dict):
        return tree
    out = {name: part for name, part in tree.items() if name == "metadata"}
    if "spec" in tree:
        kept = {*fields, "name", "restartPolicy"}
        out["spec"] = {
            name: [_kept(c, kept) for c in part] if isinstance(part, list) else part
            for name, part in tree["spec"].items()
            if name in CONTAINER_LISTS or name == "resources"
        }
    return out


def _kept(tree: Any, names: set[str]) -> Any:
    return {name: part for name, part in tree.items() if name in names} if isinstance(tree, dict) else tree


def containers(pod: PodTemplate) -> Iterator[Container]:
    """All containers of a pod: init, normal and ephemeral, in that order."""
    spec = pod.spec
    for role in CONTAINER_LISTS:
        items = spec.get(role)
        for i, c in enumerate(items if isinstance(items, list) else ()):
            if isinstance(c, dict):
                yield Container((*pod.path, "spec", role, i), c, role)
