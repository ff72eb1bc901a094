"""How far a workload has come, from its own status."""

from __future__ import annotations

from typing import Any

from kplan.controllers import pods
from kplan.results import Workload
from kplan.store import ref_of

Value = dict[str, Any]


def progress(obj: Value) -> Workload | None:
    """The row of a workload or pod; None for a kind that makes pods only when its time comes."""
    if obj["kind"] == "CronJob":
        return None
    ref, spec, status = ref_of(obj), obj.get("spec") or {}, obj.get("status") or {}
    ready, wanted, done, state = _OF.get(ref.kind, _replicas)(obj, spec, status)
    return Workload(ref.kind, ref.namespace, ref.name, ready, wanted, done, state)


Found = tuple[int, int, bool, str]


def _replicas(obj: Value, spec: Value, status: Value) -> Found:
    """Ready with all replicas ready; of a Deployment also with all of the new template and none of an old one."""
    wanted = 1 if spec.get("replicas") is None else int(spec["replicas"])
    ready = int(status.get("readyReplicas") or 0)
    done = ready >= wanted
    if obj["kind"] == "Deployment":
        updated, there = (int(status.get(f) or 0) for f in ("updatedReplicas", "replicas"))
        done = done and (bool(spec.get("paused")) or (updated >= wanted and there <= updated))
    return ready, wanted, done, "paused" if spec.get("paused") else ""


def _daemons(obj: Value, spec: Value, status: Value) -> Found:  # noqa: ARG001 - one shape for every kind
    ready, wanted = int(status.get("numberReady") or 0), int(status.get("desiredNumberScheduled") or 0)
    seen = int(status.get("observedGeneration") or 0) > 0
    return ready, wanted, seen and ready >= wanted, ""


def _job(obj: Value, spec: Value, status: Value) -> Found:
    done = int(status.get("succeeded") or 0)
    wanted = spec.get("completions")
    wanted = 1 if wanted is None else int(wanted)
    for kind, state in (("Complete", "complete"), ("Failed", "failed")):
        said = pods.condition(obj, kind)
        if said is not None and said.get("status") == "True":
            return done, wanted, kind == "Complete", state
    suspended = bool(spec.get("suspend"))
    return done, wanted, suspended or done >= wanted, "suspended" if suspended else ""


def _pod(obj: Value, spec: Value, status: Value) -> Found:  # noqa: ARG001
    phase = pods.phase(obj)
    done = pods.is_ready(obj) or phase == "Succeeded"
    return int(done), 1, done, {"Succeeded": "complete", "Failed": "failed"}.get(phase, "")


_OF = {"DaemonSet": _daemons, "Job": _job, "Pod": _pod}
