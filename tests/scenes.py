"""Small objects and questions for tests of simulated clusters."""

from __future__ import annotations

from typing import Any

import kplan

Value = dict[str, Any]

NAMESPACE = "default"


def node(name: str = "n1", *taints: Value) -> Value:
    """A node with room for 100 pods."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name},
        "spec": {"taints": list(taints)} if taints else {},
        "status": {"allocatable": {"cpu": "64", "memory": "64Gi", "pods": "100"}},
    }


def made(api_version: str, kind: str, name: str, spec: Value | None = None, **meta: Any) -> Value:
    """An object of any kind."""
    found: Value = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE, **meta}}
    return {**found, "spec": spec} if spec is not None else found


def template(app: str, tag: str = "1", **spec: Any) -> Value:
    """A pod template with one container; the tag says how it fares."""
    containers = [{"name": "c", "image": f"registry.example/{app}:{tag}"}]
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": containers, **spec}}


def deployment(name: str = "web", replicas: int = 2, tag: str = "1", pod: Value | None = None, **spec: Any) -> Value:
    """A Deployment whose pods carry the label `app` with its name."""
    selector = {"matchLabels": {"app": name}}
    given = {"replicas": replicas, "selector": selector, "template": template(name, tag, **(pod or {})), **spec}
    return made("apps/v1", "Deployment", name, given)


def replica_set(name: str = "rs", replicas: int = 2, app: str = "", **spec: Any) -> Value:
    """A ReplicaSet whose pods carry the label `app`."""
    app = app or name
    given = {"replicas": replicas, "selector": {"matchLabels": {"app": app}}, "template": template(app), **spec}
    return made("apps/v1", "ReplicaSet", name, given)


def pod(name: str, labels: dict[str, str] | None = None, tag: str = "1", **spec: Any) -> Value:
    """A pod of its own."""
    return made("v1", "Pod", name, template("x", tag, **spec)["spec"], labels=labels or {})


def rolling(surge: int | str, unavailable: int | str) -> Value:
    """A strategy."""
    return {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}


def cluster(*objects: Value, nodes: int = 1) -> kplan.Cluster:
    """A cluster at rest after these objects were applied."""
    found = kplan.Cluster(node(f"n{i + 1}") for i in range(nodes))
    found.settle()
    do(found, *objects)
    return found


def do(c: kplan.Cluster, *objects: Value) -> list[Any]:
    """Apply objects and let the cluster come to rest."""
    for answer in c.apply(list(objects)):
        assert answer.accepted, answer.message
    return rest(c)


def rest(c: kplan.Cluster, kubelet: bool = True) -> list[Any]:
    """Let the cluster come to rest."""
    rests = c.settle(kubelet)
    assert c.unsettled == ""
    return rests


def one(c: kplan.Cluster, kind: str, name: str) -> Value:
    """The object of this kind and name."""
    found: Value = next(o for o in c.objects(kind) if o["metadata"]["name"] == name)
    return found


def names(c: kplan.Cluster, kind: str) -> list[str]:
    """The names of all objects of a kind."""
    return [o["metadata"]["name"] for o in c.objects(kind)]


def sizes(c: kplan.Cluster, kind: str = "ReplicaSet") -> list[int]:
    """`spec.replicas` of all objects of a kind, oldest first."""
    return [o["spec"]["replicas"] for o in c.objects(kind)]


def status(c: kplan.Cluster, kind: str, name: str) -> Value:
    """The status of an object without its conditions."""
    return {k: v for k, v in one(c, kind, name)["status"].items() if k != "conditions"}


def conditions(c: kplan.Cluster, kind: str, name: str) -> list[str]:
    """The conditions of an object, in order: `TYPE STATUS REASON`."""
    found = one(c, kind, name)["status"].get("conditions") or ()
    return [f"{x['type']} {x['status']} {x.get('reason', '')}" for x in found]


def told(c: kplan.Cluster, *reasons: str) -> list[str]:
    """The messages of new events with one of these reasons, in order."""
    return [e.message for e in c.events_since_last_settle() if e.reason in reasons]


def leaving(c: kplan.Cluster) -> list[str]:
    """The names of pods that are being deleted."""
    return [p["metadata"]["name"] for p in c.objects("Pod") if p["metadata"].get("deletionTimestamp")]


def notes(c: kplan.Cluster, kind: str, name: str, prefix: str) -> dict[str, str]:
    """The annotations of an object under a prefix, without it."""
    found = one(c, kind, name)["metadata"].get("annotations") or {}
    return {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)}
