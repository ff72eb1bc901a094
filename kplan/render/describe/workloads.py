"""The kinds that make pods. Layout of k8s.io/kubectl/pkg/describe."""

from __future__ import annotations

from typing import Any

from kplan.render import age
from kplan.render.columns.cell import selector_text
from kplan.render.columns.storage import class_name
from kplan.render.columns.workloads import yes_no
from kplan.render.describe import events
from kplan.render.describe.containers import amount
from kplan.render.describe.context import Context, Value, controlled, controller, count_of, pod_counts, time_of
from kplan.render.describe.lines import Lines, go_list, head, labels
from kplan.render.describe.pods import template
from kplan.render.fields import NONE, UNSET, mapping, pairs, shortened, text, texts
from kplan.workloads import dicts, get

_HASH = "pod-template-hash"
_INDEXES_SHOWN = 50


def deployment(out: Lines, obj: Value, context: Context) -> None:
    """A Deployment."""
    head(out, obj, "name", "namespace")
    out.add(0, "CreationTimestamp:", time_of(obj, "metadata", "creationTimestamp"))
    head(out, obj, "labels", "annotations")
    out.add(0, "Selector:", selector_text(get(obj, "spec", "selector")))
    counts = [f"{count_of(obj, 'spec', 'replicas')} desired"]
    for field, word in (("updatedReplicas", "updated"), ("replicas", "total"), ("availableReplicas", "available")):
        counts.append(f"{count_of(obj, 'status', field)} {word}")
    out.add(0, "Replicas:", " | ".join([*counts, f"{count_of(obj, 'status', 'unavailableReplicas')} unavailable"]))
    out.add(0, "StrategyType:", text(obj, "spec", "strategy", "type"))
    out.add(0, "MinReadySeconds:", count_of(obj, "spec", "minReadySeconds"))
    rolling = mapping(obj, "spec", "strategy", "rollingUpdate")
    if rolling:
        limits = f"{text(rolling, 'maxUnavailable')} max unavailable, {text(rolling, 'maxSurge')} max surge"
        out.add(0, "RollingUpdateStrategy:", limits)
    template(out, mapping(obj, "spec", "template"))
    _conditions(out, obj)
    new, old = _replica_sets(obj, context)
    out.add(0, "OldReplicaSets:", _created(old))
    out.add(0, "NewReplicaSet:", _created(new))
    events.write(out, obj, context)


def _conditions(out: Lines, obj: Value) -> None:
    found = dicts(obj, "status", "conditions")
    if found:
        out.add(0, "Conditions:")
        out.add(1, "Type", "Status", "Reason")
        out.add(1, "----", "------", "------")
    for c in found:
        out.add(1, f"{text(c, 'type')} ", text(c, "status"), text(c, "reason"))


def _replica_sets(obj: Value, context: Context) -> tuple[list[Value], list[Value]]:
    """The ReplicaSet of the current template, and the others."""
    found = controlled(obj, "ReplicaSet", context)
    wanted = _without_hash(mapping(obj, "spec", "template"))
    new = [rs for rs in found if _without_hash(mapping(rs, "spec", "template")) == wanted][:1]
    return new, [rs for rs in found if rs not in new]


def _without_hash(given: Value) -> Value:
    meta = mapping(given, "metadata")
    kept = {k: v for k, v in mapping(meta, "labels").items() if k != _HASH}
    plain: Any = {k: v for k, v in meta.items() if k not in ("labels", "creationTimestamp")}
    return {"spec": given.get("spec"), "metadata": {**plain, "labels": kept}}


def _created(sets: list[Value]) -> str:
    counted = (f"{count_of(rs, 'status', 'replicas')}/{count_of(rs, 'spec', 'replicas')}" for rs in sets)
    named = (
        f"{text(rs, 'metadata', 'name')} ({count} replicas created)" for rs, count in zip(sets, counted, strict=True)
    )
    return ", ".join(named) or NONE


def replica_set(out: Lines, obj: Value, context: Context) -> None:
    """A ReplicaSet."""
    _replicas(out, obj, context, selector_text(get(obj, "spec", "selector")))


def replication_controller(out: Lines, obj: Value, context: Context) -> None:
    """A ReplicationController."""
    _replicas(out, obj, context, pairs(mapping(obj, "spec", "selector")))


def _replicas(out: Lines, obj: Value, context: Context, chosen: str) -> None:
    head(out, obj, "name", "namespace")
    out.add(0, "Selector:", chosen)
    head(out, obj, "labels", "annotations")
    if controller(obj):
        out.add(0, "Controlled By:", controller(obj))
    now, wanted = count_of(obj, "status", "replicas"), count_of(obj, "spec", "replicas")
    out.add(0, "Replicas:", f"{now} current / {wanted} desired")
    out.add(0, "Pods Status:", pod_counts(obj, context))
    template(out, mapping(obj, "spec", "template"))
    _conditions(out, obj)
    events.write(out, obj, context)


def stateful_set(out: Lines, obj: Value, context: Context) -> None:
    """A StatefulSet."""
    head(out, obj, "name", "namespace")
    out.add(0, "CreationTimestamp:", time_of(obj, "metadata", "creationTimestamp"))
    out.add(0, "Selector:", selector_text(get(obj, "spec", "selector")))
    head(out, obj, "labels", "annotations")
    counts = f"{count_of(obj, 'spec', 'replicas')} desired | {count_of(obj, 'status', 'replicas')} total"
    out.add(0, "Replicas:", counts)
    out.add(0, "Update Strategy:", text(obj, "spec", "updateStrategy", "type"))
    rolling = mapping(obj, "spec", "updateStrategy", "rollingUpdate")
    for field, title in (("partition", "Partition:"), ("maxUnavailable", "MaxUnavailable:")):
        if rolling.get(field) is not None:
            out.add(1, title, text(rolling, field))
    out.add(0, "Pods Status:", pod_counts(obj, context))
    template(out, mapping(obj, "spec", "template"))
    claims = dicts(obj, "spec", "volumeClaimTemplates")
    out.add(0, "Volume Claims:", *([] if claims else [NONE]))
    for claim in claims:
        out.add(1, "Name:", text(claim, "metadata", "name"))
        out.add(1, "StorageClass:", class_name(claim))
        labels(out, 1, "Labels:", mapping(claim, "metadata", "labels"))
        labels(out, 1, "Annotations:", mapping(claim, "metadata", "annotations"))
        size = get(claim, "spec", "resources", "requests", "storage")
        out.add(1, "Capacity:", "<default>" if size is None else amount(size))
        out.add(1, "Access Modes:", go_list(texts(claim, "spec", "accessModes")))
    events.write(out, obj, context)


def daemon_set(out: Lines, obj: Value, context: Context) -> None:
    """A DaemonSet."""
    head(out, obj, "name", "namespace")
    out.add(0, "Selector:", selector_text(get(obj, "spec", "selector")))
    out.add(0, "Node-Selector:", pairs(mapping(obj, "spec", "template", "spec", "nodeSelector")))
    head(out, obj, "labels", "annotations")
    for what, field in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        out.add(0, f"{what}: {count_of(obj, 'status', field)}")
    out.add(0, "Pods Status:", pod_counts(obj, context))
    template(out, mapping(obj, "spec", "template"))
    events.write(out, obj, context)


def job(out: Lines, obj: Value, context: Context) -> None:
    """A Job."""
    spec = mapping(obj, "spec")
    head(out, obj, "name", "namespace")
    if spec.get("selector") is not None:
        out.add(0, "Selector:", selector_text(spec["selector"]))
    head(out, obj, "labels", "annotations")
    if controller(obj):
        out.add(0, "Controlled By:", controller(obj))
    for field, title in (
        ("parallelism", "Parallelism:"),
        ("completions", "Completions:"),
        ("completionMode", "Completion Mode:"),
        ("suspend", "Suspend:"),
        ("backoffLimit", "Backoff Limit:"),
    ):
        if spec.get(field) is not None or field == "completions":
            out.add(0, title, text(spec, field) or UNSET)
    _times(out, obj)
    out.add(0, "Pods Statuses:", _job_counts(obj))
    if spec.get("completionMode") == "Indexed":
        indexes = text(obj, "status", "completedIndexes").split(",")
        out.add(0, "Completed Indexes:", shortened(indexes, _INDEXES_SHOWN) or NONE)
    template(out, mapping(spec, "template"))
    events.write(out, obj, context)


def _times(out: Lines, obj: Value) -> None:
    start, end = get(obj, "status", "startTime"), get(obj, "status", "completionTime")
    if start:
        out.add(0, "Start Time:", age.rfc1123z(start))
    if end:
        out.add(0, "Completed At:", age.rfc1123z(end))
    if start and end:
        out.add(0, "Duration:", age.between(start, end))
    if get(obj, "spec", "activeDeadlineSeconds") is not None:
        out.add(0, "Active Deadline Seconds:", f"{text(obj, 'spec', 'activeDeadlineSeconds')}s")


def _job_counts(obj: Value) -> str:
    ready = get(obj, "status", "ready")
    active = f"{count_of(obj, 'status', 'active')} Active" + ("" if ready is None else f" ({ready} Ready)")
    return f"{active} / {count_of(obj, 'status', 'succeeded')} Succeeded / {count_of(obj, 'status', 'failed')} Failed"


def cron_job(out: Lines, obj: Value, context: Context) -> None:
    """A CronJob."""
    spec = mapping(obj, "spec")
    made = mapping(spec, "jobTemplate", "spec")
    head(out, obj, "name", "namespace", "labels", "annotations")
    out.add(0, "Schedule:", text(spec, "schedule"))
    out.add(0, "Concurrency Policy:", text(spec, "concurrencyPolicy"))
    out.add(0, "Suspend:", yes_no("spec.suspend")(obj, None))
    out.add(0, "Successful Job History Limit:", text(spec, "successfulJobsHistoryLimit") or UNSET)
    out.add(0, "Failed Job History Limit:", text(spec, "failedJobsHistoryLimit") or UNSET)
    deadline = text(spec, "startingDeadlineSeconds")
    out.add(0, "Starting Deadline Seconds:", f"{deadline}s" if deadline else UNSET)
    out.add(0, "Selector:", selector_text(made["selector"]) if made.get("selector") else UNSET)
    out.add(0, "Parallelism:", text(made, "parallelism") or UNSET)
    out.add(0, "Completions:", text(made, "completions") or UNSET)
    if made.get("activeDeadlineSeconds") is not None:
        out.add(0, "Active Deadline Seconds:", f"{text(made, 'activeDeadlineSeconds')}s")
    template(out, mapping(made, "template"))
    last = get(obj, "status", "lastScheduleTime")
    out.add(0, "Last Schedule Time:", age.rfc1123z(last) if last else UNSET)
    out.add(0, "Active Jobs:", ", ".join(text(j, "name") for j in dicts(obj, "status", "active")) or NONE)
    events.write(out, obj, context)
