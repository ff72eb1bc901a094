"""The pods that workloads make, so that they can be placed before any controller has run.

A pod that a controller would name at random is called `<owner>-<1>`, `<owner>-<2>`, …, with the angle brackets, so
that nobody takes it for the real name. Pods that are in the input already count towards what their owner asks for.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kplan.scheduler import daemons
from kplan.scheduler.fields import items, mapping, number, string_map, text
from kplan.scheduler.snapshot import ENDED, Snapshot

Value = dict[str, Any]
OwnerId = tuple[str, str, str]  # kind, namespace, name

MOST_PODS = 100_000  # of one workload: a number of replicas is only a number, pods take room and time


class Expanded(NamedTuple):
    """New pods, the objects that they need (claims, ReplicaSets), and what makes no pods now, or not all."""

    pods: list[Value]
    objects: list[Value]
    notes: list[str]

    def numbers(self, workload: Value, first: int, last: int) -> range:
        """The numbers of the pods to make, cut off where they become too many."""
        if last - first >= MOST_PODS:
            kind, namespace, name = _id(workload)
            self.notes.append(f"{kind} {namespace}/{name}: only the first {MOST_PODS} pods are placed")
        return range(first, min(last, first + MOST_PODS - 1) + 1)


def expand(objects: Iterable[Value], cluster: Snapshot) -> Expanded:
    """The pods that the workloads among the objects would make besides those that exist; daemon pods by node."""
    objects = list(objects)
    existing = _existing(objects)
    present = {_id(o) for o in objects}
    out = Expanded([], [], [])
    for workload in objects:
        maker = _MAKERS.get(str(workload.get("kind")))
        owner = _controller(workload)
        if maker is not None and (owner is None or owner not in present):
            maker(workload, existing[_id(workload)], cluster, out)
    return out


def _id(value: Value) -> OwnerId:
    namespace = text(value, "metadata", "namespace") or "default"
    return str(value.get("kind")), namespace, text(value, "metadata", "name")


def _controller(value: Value) -> OwnerId | None:
    for r in items(value, "metadata", "ownerReferences"):
        if r.get("controller") is True:
            return text(r, "kind"), text(value, "metadata", "namespace") or "default", text(r, "name")
    return None


def _existing(objects: Iterable[Value]) -> Mapping[OwnerId, list[Value]]:
    """The pods that run or wait, by the workload at the top of their chain of owners."""
    above = {_id(o): owner for o in objects if (owner := _controller(o)) is not None}
    found: dict[OwnerId, list[Value]] = defaultdict(list)
    for pod in objects:
        if pod.get("kind") != "Pod" or text(pod, "status", "phase") in ENDED:
            continue
        owner, seen = _controller(pod), set()
        while owner is not None and owner not in seen:
            found[owner].append(pod)
            seen.add(owner)
            owner = above.get(owner)
    return found


def _pod(
    workload: Value, name: str, labels: Mapping[str, str] = MappingProxyType({}), template: Value | None = None
) -> Value:
    template = mapping(workload, "spec", "template") if template is None else template
    meta = mapping(template, "metadata")
    reference: Value = {
        "apiVersion": workload.get("apiVersion"),
        "kind": workload.get("kind"),
        "name": text(workload, "metadata", "name"),
        "controller": True,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **meta,
            "name": name,
            "namespace": text(workload, "metadata", "namespace") or "default",
            "labels": {**string_map(meta, "labels"), **labels},
            "ownerReferences": [reference],
        },
        "spec": mapping(template, "spec"),
    }


def _replicas(workload: Value, existing: list[Value], _: Snapshot, out: Expanded) -> None:
    name = text(workload, "metadata", "name")
    wanted = out.numbers(workload, len(existing) + 1, number(workload, "spec", "replicas", default=1))
    out.pods.extend(_pod(workload, f"{name}-<{i}>") for i in wanted)


def _deployment(workload: Value, existing: list[Value], cluster: Snapshot, out: Expanded) -> None:
    """Through a ReplicaSet, whose selector counts for default spreading."""
    meta, spec = mapping(workload, "metadata"), mapping(workload, "spec")
    name = f"{text(meta, 'name')}-<hash>"
    replica_set = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": text(meta, "namespace") or "default"},
        "spec": {k: spec[k] for k in ("selector", "template") if k in spec},
    }
    before = len(out.pods)
    _replicas(workload, existing, cluster, out)
    for pod in out.pods[before:]:
        pod["metadata"]["ownerReferences"][0].update(kind="ReplicaSet", name=name)
    out.objects.append(replica_set)


def _stateful_set(workload: Value, existing: list[Value], _: Snapshot, out: Expanded) -> None:
    name, namespace = text(workload, "metadata", "name"), text(workload, "metadata", "namespace") or "default"
    first = number(workload, "spec", "ordinals", "start")
    there = {text(p, "metadata", "name") for p in existing}
    for i in out.numbers(workload, first, first + number(workload, "spec", "replicas", default=1) - 1):
        pod_name = f"{name}-{i}"
        if pod_name in there:
            continue
        labels = {"statefulset.kubernetes.io/pod-name": pod_name, "apps.kubernetes.io/pod-index": str(i)}
        pod = _pod(workload, pod_name, labels)
        volumes = items(pod, "spec", "volumes")
        for template in items(workload, "spec", "volumeClaimTemplates"):
            volume = text(template, "metadata", "name")
            claim = f"{volume}-{pod_name}"
            meta = {**mapping(template, "metadata"), "name": claim, "namespace": namespace}
            out.objects.append({**template, "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta})
            volumes = [v for v in volumes if v.get("name") != volume]
            volumes.append({"name": volume, "persistentVolumeClaim": {"claimName": claim}})
        pod["spec"] = {**pod["spec"], "volumes": volumes} if volumes else pod["spec"]
        out.pods.append(pod)


def _daemon_set(workload: Value, existing: list[Value], cluster: Snapshot, out: Expanded) -> None:
    """One pod for every node that it may run on, bound to that node by its affinity."""
    name = text(workload, "metadata", "name")
    there = Counter(filter(None, map(daemons.target_node, existing)))
    demands = daemons.Demands.of(mapping(workload, "spec", "template"))
    template = daemons.tolerant(mapping(workload, "spec", "template"))
    wanted = (n for n in cluster.nodes if demands.fit(n.name, n.labels, n.taints).runs)
    for i, node in enumerate(wanted, 1):
        if not there[node.name]:
            pod = _pod(workload, f"{name}-<{i}>", template=template)
            pod["spec"] = {**pod["spec"], "affinity": daemons.pinned(mapping(pod, "spec", "affinity"), node.name)}
            out.pods.append(pod)


def _job(workload: Value, existing: list[Value], _: Snapshot, out: Expanded) -> None:
    spec, name = mapping(workload, "spec"), text(workload, "metadata", "name")
    ended = any(
        text(c, "type") in ("Complete", "Failed") and text(c, "status") == "True"
        for c in items(workload, "status", "conditions")
    )
    if ended or spec.get("suspend") is True:
        return
    at_once = number(spec, "parallelism", default=1)
    wanted = out.numbers(workload, len(existing) + 1, min(at_once, number(spec, "completions", default=at_once)))
    labels = {"job-name": name, "batch.kubernetes.io/job-name": name}
    out.pods.extend(_pod(workload, f"{name}-<{i}>", labels) for i in wanted)


def _cron_job(workload: Value, _: list[Value], __: Snapshot, out: Expanded) -> None:
    namespace, name = _id(workload)[1:]
    out.notes.append(f"CronJob {namespace}/{name} makes pods only when its time comes; none are placed")


_MAKERS: Mapping[str, Callable[[Value, list[Value], Snapshot, Expanded], None]] = {
    "Deployment": _deployment,
    "ReplicaSet": _replicas,
    "ReplicationController": _replicas,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "CronJob": _cron_job,
}
