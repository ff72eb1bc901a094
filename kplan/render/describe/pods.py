"""Pods and pod templates. Layout of k8s.io/kubectl/pkg/describe (describePod, DescribePodTemplate)."""

from __future__ import annotations

from kplan.render.columns.cell import selector_text
from kplan.render.describe import events
from kplan.render.describe.containers import containers, resources, seccomp
from kplan.render.describe.context import Context, Value, controller, lasting, time_of
from kplan.render.describe.lines import Lines, head, labels, notes
from kplan.render.describe.volumes import volumes
from kplan.render.fields import NONE, mapping, number, text
from kplan.workloads import dicts, get


def pod(out: Lines, obj: Value, context: Context) -> None:
    """A Pod."""
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    head(out, obj, "name", "namespace")
    for title, path in (("Priority:", "priority"), ("Priority Class Name:", "priorityClassName")):
        if spec.get(path) not in (None, ""):
            out.add(0, title, text(spec, path))
    _optional(out, spec, ("Runtime Class Name:", "runtimeClassName"), ("Service Account:", "serviceAccountName"))
    out.add(0, "Node:", f"{text(spec, 'nodeName')}/{text(status, 'hostIP')}" if spec.get("nodeName") else NONE)
    if status.get("startTime"):
        out.add(0, "Start Time:", time_of(status, "startTime"))
    head(out, obj, "labels", "annotations")
    _state(out, obj, context)
    seccomp(out, 0, mapping(spec, "securityContext"))
    _addresses(out, status)
    if controller(obj):
        out.add(0, "Controlled By:", controller(obj))
    _optional(out, status, ("NominatedNodeName:", "nominatedNodeName"))
    if mapping(spec, "resources"):
        out.add(0, "Resources:")
        resources(out, 1, mapping(spec, "resources"))
    _containers(out, obj)
    _conditions(out, obj)
    volumes(out, spec)
    if status.get("qosClass"):
        out.add(0, "QoS Class:", text(status, "qosClass"))
    _placement(out, 0, spec)
    events.write(out, obj, context)


def _optional(out: Lines, part: Value, *fields: tuple[str, str]) -> None:
    for title, path in fields:
        if part.get(path):
            out.add(0, title, text(part, path))


def _state(out: Lines, obj: Value, context: Context) -> None:
    ended = get(obj, "status", "phase") in ("Succeeded", "Failed")
    if get(obj, "metadata", "deletionTimestamp") and not ended:
        out.add(0, "Status:", lasting(obj, context))
        grace = number(obj, "metadata", "deletionGracePeriodSeconds")
        out.add(0, "Termination Grace Period:", f"{grace}s")
    else:
        out.add(0, "Status:", text(obj, "status", "phase"))
    _optional(out, mapping(obj, "status"), ("Reason:", "reason"), ("Message:", "message"))


def _addresses(out: Lines, status: Value) -> None:
    out.add(0, "IP:", text(status, "podIP"))
    found = dicts(status, "podIPs")
    out.add(0, "IPs:", *([] if found else [NONE]))
    for address in found:
        out.add(1, "IP:", text(address, "ip"))


def _containers(out: Lines, obj: Value) -> None:
    spec, status = mapping(obj, "spec"), mapping(obj, "status")
    for title, field, statuses in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        listed = dicts(spec, field)
        if listed or field == "containers":
            containers(out, title, listed, dicts(status, statuses), pod=obj)


def _conditions(out: Lines, obj: Value) -> None:
    found = {text(c, "type"): text(c, "status") for c in dicts(obj, "status", "conditions")}
    gates = [text(g, "conditionType") for g in dicts(obj, "spec", "readinessGates")]
    for title, listed in (("Readiness Gates:", gates), ("Conditions:", list(found))):
        if listed:
            out.add(0, title)
            out.add(1, "Type", "Status")
        for name in listed:
            out.add(1, f"{name} ", found.get(name, NONE))


def template(out: Lines, given: Value) -> None:
    """A pod template, as it stands in the description of a workload."""
    spec = mapping(given, "spec")
    out.add(0, "Pod Template:")
    labels(out, 1, "Labels:", mapping(given, "metadata", "labels"))
    if mapping(given, "metadata", "annotations"):
        notes(out, 1, "Annotations:", mapping(given, "metadata", "annotations"))
    if spec.get("serviceAccountName"):
        out.add(1, "Service Account:", text(spec, "serviceAccountName"))
    if dicts(spec, "initContainers"):
        containers(out, "Init Containers", dicts(spec, "initContainers"), inside=True)
    containers(out, "Containers", dicts(spec, "containers"), inside=True)
    volumes(out, spec, inside=True)
    _placement(out, 1, spec)


def _placement(out: Lines, level: int, spec: Value) -> None:
    """Where pods may go. A pod says its priority class at the top, a template here, before its node selector."""
    if level == 0:
        labels(out, level, "Node-Selectors:", mapping(spec, "nodeSelector"))
        out.several(level, "Tolerations:", tolerations(spec))
        _spread(out, level, spec)
        return
    _spread(out, level, spec)
    if spec.get("priorityClassName"):
        out.add(level, "Priority Class Name:", text(spec, "priorityClassName"))
    labels(out, level, "Node-Selectors:", mapping(spec, "nodeSelector"))
    out.several(level, "Tolerations:", tolerations(spec))


def tolerations(spec: Value) -> list[str]:
    """`node.kubernetes.io/not-ready:NoExecute op=Exists for 300s`, sorted by key."""
    return [_toleration(t) for t in sorted(dicts(spec, "tolerations"), key=lambda t: text(t, "key"))]


def _toleration(t: Value) -> str:
    written = text(t, "key")
    written += f"={text(t, 'value')}" if t.get("value") else ""
    written += f":{text(t, 'effect')}" if t.get("effect") else ""
    if t.get("operator") == "Exists" and not t.get("value"):
        written += " op=Exists" if written else "op=Exists"
    seconds = t.get("tolerationSeconds")
    return written if seconds is None else f"{written} for {text(t, 'tolerationSeconds')}s"


def _spread(out: Lines, level: int, spec: Value) -> None:
    found = sorted(dicts(spec, "topologySpreadConstraints"), key=lambda c: text(c, "topologyKey"))
    if found:
        out.several(level, "Topology Spread Constraints:", map(_constraint, found))


def _constraint(c: Value) -> str:
    written = f"{text(c, 'topologyKey')}:{text(c, 'whenUnsatisfiable')} when max skew {text(c, 'maxSkew')} is exceeded"
    chosen = c.get("labelSelector")
    return written if chosen is None else f"{written} for selector {selector_text(chosen)}"
