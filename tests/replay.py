"""Replays a recording of real controllers through `Cluster.settle` and says where the two differ.

A recording is one file of tests/data/controllers/recorded: nodes, and steps with what is done (`do`), and what the real
cluster then showed: `trace`, `state` and `events`. Where the real one decides by chance, names are compared without
their number: which of several equal pods of a ReplicaSet goes first is drawn by uid.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import kplan

Value = dict[str, Any]

_GONE = {"lastTransitionTime", "lastUpdateTime", "lastProbeTime", "lastHeartbeatTime", "hostIP", "hostIPs"}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
_ADDRESS = re.compile(r"10(\.\d+){3}")
_DRAWN = re.compile(r"-<\d+>")
_LEFT_OUT = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
_CLUSTER_WIDE = {"Event", "Namespace", "Node", "PersistentVolume"}


def differences(recording: Value) -> Iterator[str]:
    """One sentence for each difference; nothing for a recording that is reproduced."""
    namespace = recording["namespace"]
    cluster = kplan.Cluster(
        [*recording["nodes"], {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}]
    )
    cluster.settle()
    running = True
    for number, step in enumerate(recording["steps"]):
        do = step["do"]
        if "readyAge" in do or step.get("notQuiescent"):
            return
        running = {"on": True, "off": False}.get(do.get("kubelet", ""), running)
        refused = _carry_out(cluster, do, namespace)
        rests = cluster.settle(kubelet=running)
        for what in _compare(step, rests, refused, cluster, namespace):
            yield f"step {number}: {what}"


def _carry_out(cluster: kplan.Cluster, do: Value, namespace: str) -> list[Any]:
    refused = [r for r in cluster.apply(do.get("apply", []), mode="ssa", namespace=namespace) if not r.accepted]
    for x in do.get("patch", []):
        cluster.patch(x["kind"], x["name"], x["patch"], namespace=namespace, subresource=x.get("subresource"))
    for x in do.get("delete", []):
        cluster.delete(x["kind"], x["name"], namespace=namespace, propagation=do.get("propagation"))
    for pod in do.get("evict", []):
        cluster.evict(pod, namespace=namespace)
    return refused


def _compare(
    step: Value, rests: list[Any], refused: list[Any], cluster: kplan.Cluster, namespace: str
) -> Iterator[str]:
    real = [(_plain(t.get("kubelet")), t["sets"]) for t in step["trace"]]
    ours = [(_plain(r.kubelet), r.sets) for r in rests]
    if real and real != ours:
        at = next((i for i, (a, b) in enumerate(zip(real, ours, strict=False)) if a != b), min(len(real), len(ours)))
        yield f"trace at {at}: real {real[at : at + 1]}, ours {ours[at : at + 1]}"
    if "errors" in step:
        messages = sorted(e["message"] for e in step["errors"])
        if messages != sorted(r.message for r in refused):
            yield f"refusals: real {messages}, ours {[r.message for r in refused]}"
    want, have = _states(step["state"]), _states(cluster.objects(namespace=namespace))
    for what in (want - have, have - want):
        for name, status in what:
            yield f"{'missing' if what is not have - want else 'extra'} {name}: {status[:400]}"
    told = Counter((e["type"], e["reason"], _plain(e["message"]), _plain(e["object"])) for e in step["events"])
    said = Counter((e.type, e.reason, _plain(e.message), _plain(e.object)) for e in cluster.events_since_last_settle())
    for event in told - said:
        yield f"event not told: {event}"
    for event in said - told:
        yield f"event too many: {event}"


def _plain(text: str | None) -> str | None:
    return _DRAWN.sub("-<n>", text) if text is not None else None


def _states(objects: list[Value]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for o in objects:
        kind, name = o["kind"], o["metadata"]["name"]
        if kind not in _CLUSTER_WIDE and (kind, name) not in _LEFT_OUT:
            status = json.dumps(_tidy(o).get("status"), sort_keys=True)
            found[f"{kind}/{_plain(name)}", _plain(status) or ""] += 1
    return found


def _tidy(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _tidy(v) for k, v in copy.copy(value).items() if k not in _GONE}
    if isinstance(value, list):
        return [_tidy(v) for v in value]
    if isinstance(value, str) and (value == "<t>" or _TIME.fullmatch(value)):
        return "<t>"
    if isinstance(value, str) and (value.startswith("<ip ") or _ADDRESS.fullmatch(value)):
        return "<ip>"
    return value
