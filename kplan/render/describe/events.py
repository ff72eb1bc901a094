"""The events at the end of a description."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kplan.render.columns.cluster import first_seen, last_seen
from kplan.render.describe.context import Context, Value, name_of, namespace_of
from kplan.render.describe.lines import Lines
from kplan.render.fields import NONE, UNKNOWN, mapping, number, plain, text

# Who writes events about a kind; of pods, the scheduler writes some and the kubelet the rest.
_REPORTERS = {
    "CronJob": "cronjob-controller",
    "DaemonSet": "daemonset-controller",
    "Deployment": "deployment-controller",
    "HorizontalPodAutoscaler": "horizontal-pod-autoscaler",
    "Job": "job-controller",
    "PersistentVolumeClaim": "persistentvolume-controller",
    "PodDisruptionBudget": "controllermanager",
    "ReplicaSet": "replicaset-controller",
    "ReplicationController": "replication-controller",
    "StatefulSet": "statefulset-controller",
}
_SCHEDULER = frozenset(("Scheduled", "FailedScheduling", "Preempted", "NominatedNodeName"))
_TAINTS = "taint-eviction-controller"


def write(out: Lines, obj: Value, context: Context) -> None:
    """The events about this object as a table, or `Events: <none>`."""
    if not context.show_events:
        return
    title, where = f"{text(obj, 'kind')}/{name_of(obj)}", namespace_of(obj)
    about = [e for e in context.events if e.get("object") == title and e.get("namespace", where) == where]
    if not about:
        out.add(0, "Events:", NONE)
        return
    out.add(0, "Events:")
    out.add(1, "Type", "Reason", "Age", "From", "Message")
    out.add(1, "----", "------", "----", "----", "-------")
    for e in about:
        age = plain(e.get("age")) or UNKNOWN
        count = e.get("count")
        shown = f"{age} (x{count})" if isinstance(count, int) and count > 1 and "(x" not in age else age
        out.add(1, plain(e.get("type")), plain(e.get("reason")), shown, _reporter(e), plain(e.get("message")).strip())


def _reporter(event: Mapping[str, Any]) -> str:
    known = plain(event.get("from"))
    if known:
        return known
    kind, reason = plain(event.get("object")).partition("/")[0], event.get("reason")
    if kind != "Pod":
        return _REPORTERS.get(kind, "")
    return "default-scheduler" if reason in _SCHEDULER else _TAINTS if reason == "TaintManagerEviction" else "kubelet"


def of_object(event: Value, now: datetime | None) -> dict[str, Any]:
    """A stored Event in the form that `Context.events` has."""
    about = mapping(event, "involvedObject") or mapping(event, "regarding")
    count = number(event, "series", "count") or number(event, "count")
    age, first = last_seen(event, now), first_seen(event, now)
    often = f" (x{count})" if first == UNKNOWN else f" (x{count} over {first})"
    return {
        "type": text(event, "type"),
        "reason": text(event, "reason"),
        "message": text(event, "message") or text(event, "note"),
        "object": f"{text(about, 'kind')}/{text(about, 'name')}",
        **({"namespace": text(about, "namespace")} if about.get("namespace") else {}),
        "age": age + often if count > 1 else age,
        "from": text(event, "source", "component") or text(event, "reportingComponent"),
    }
