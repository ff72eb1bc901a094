"""Objects of all kinds, changed, deleted and evicted at random: a cluster comes to rest, and its counts are right.

More of them: `KPLAN_SCENARIOS=2000 pytest tests/unit/test_settle_random.py`.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

import pytest

import kplan
from kplan import labels, quantity
from kplan.api.admission.quotacosts import usage
from kplan.store import owners_of
from tests.scenes import deployment, made, node, replica_set, rolling, template

Value = dict[str, Any]
Draw = random.Random

SCENARIOS = int(os.environ.get("KPLAN_SCENARIOS", "12"))
TAGS = ("1", "1", "2", "never-ready", "crash", "exit0", "exit1", "exit3")
STRATEGIES = (rolling("25%", "25%"), rolling(1, 0), rolling(0, "50%"), {"type": "Recreate"})
UPDATES = ({"type": "OnDelete"}, {"type": "RollingUpdate"})
SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
MODES = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
PROPAGATIONS = (None, "Background", "Foreground", "Orphan")


def a_template(draw: Draw, app: str, policy: str = "Always") -> Value:
    found = template(app, draw.choice(TAGS), restartPolicy=policy)
    spec = found["spec"]
    if draw.random() < 0.2:
        spec["containers"][0]["resources"] = {"requests": {"cpu": draw.choice(("100m", "1", "40"))}}
    if draw.random() < 0.2:
        spec["initContainers"] = [{"name": "i", "image": f"registry.example/i:{draw.choice(TAGS)}"}]
    if draw.random() < 0.2:
        spec["volumes"] = [{"name": "v", "ephemeral": {"volumeClaimTemplate": {"spec": a_claim(draw)["spec"]}}}]
        spec["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/v"}]
    return found


def a_deployment(draw: Draw) -> Value:
    found = deployment(f"d{draw.randrange(2)}", draw.randrange(5), strategy=draw.choice(STRATEGIES))
    found["spec"] |= {"paused": draw.random() < 0.2, "template": a_template(draw, found["metadata"]["name"])}
    return found


def a_stateful_set(draw: Draw) -> Value:
    name, policy = draw.choice((("s0", "OrderedReady"), ("s1", "Parallel")))
    spec: Value = {"serviceName": name, "replicas": draw.randrange(4), "updateStrategy": draw.choice(UPDATES)}
    spec |= {"selector": {"matchLabels": {"app": name}}, "podManagementPolicy": policy}
    spec |= {"template": a_template(draw, name), "minReadySeconds": draw.choice((0, 3))}
    return made("apps/v1", "StatefulSet", name, spec)


def a_daemon_set(draw: Draw) -> Value:
    spec: Value = {"selector": {"matchLabels": {"app": "x0"}}, "template": a_template(draw, "x0")}
    return made("apps/v1", "DaemonSet", "x0", {**spec, "updateStrategy": draw.choice((*UPDATES, SURGE))})


def a_job(draw: Draw) -> Value:
    spec: Value = {
        "parallelism": draw.randrange(3),
        "completions": draw.randrange(1, 4),
        "suspend": draw.random() < 0.2,
    }
    spec |= {"completionMode": draw.choice(("Indexed", "NonIndexed")), "backoffLimit": draw.randrange(3)}
    spec |= draw.choice(({}, {}, {"activeDeadlineSeconds": 5}, {"ttlSecondsAfterFinished": 5}))
    return made("batch/v1", "Job", f"j{draw.randrange(9)}", {**spec, "template": a_template(draw, "j", "Never")})


def a_cron_job(draw: Draw) -> Value:
    policy = draw.choice(("Allow", "Forbid", "Replace"))
    run = {"template": template("cj", "exit0", restartPolicy="Never")}
    spec = {"schedule": "* * * * *", "concurrencyPolicy": policy, "jobTemplate": {"spec": run}}
    return made("batch/v1", "CronJob", "cj", {**spec, "successfulJobsHistoryLimit": draw.randrange(2)})


def a_controller(draw: Draw) -> Value:
    spec = {"replicas": draw.randrange(4), "selector": {"app": "rc0"}, "template": a_template(draw, "rc0")}
    return made("v1", "ReplicationController", "rc0", spec)


def a_service(draw: Draw) -> Value:
    more = draw.choice(({}, {"clusterIP": "None"}, {"type": "NodePort"}, {"publishNotReadyAddresses": True}))
    app = draw.choice(("d0", "d1", "s0", "x0", "rc0"))
    return made("v1", "Service", app, {"selector": {"app": app}, "ports": [{"port": 80}], **more})


def a_budget(draw: Draw) -> Value:
    app = draw.choice(("d0", "s0", "j"))
    limit = draw.choice(({"minAvailable": 1}, {"maxUnavailable": "50%"}, {"minAvailable": "30%"}))
    return made("policy/v1", "PodDisruptionBudget", app, {"selector": {"matchLabels": {"app": app}}, **limit})


def an_autoscaler(draw: Draw) -> Value:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": draw.choice(("d0", "d1"))}
    spec = {"minReplicas": draw.randrange(1, 3), "maxReplicas": 3, "scaleTargetRef": target}
    return made("autoscaling/v2", "HorizontalPodAutoscaler", target["name"], spec)


def a_quota(draw: Draw) -> Value:
    hard = draw.choice(
        ({"pods": "5"}, {"count/replicasets.apps": "2"}, {"requests.cpu": "3"}, {"count/jobs.batch": "2"})
    )
    return made("v1", "ResourceQuota", f"q{draw.randrange(2)}", {"hard": hard})


def a_claim(draw: Draw) -> Value:
    size = {"resources": {"requests": {"storage": draw.choice(("1Gi", "5Gi"))}}}
    return made("v1", "PersistentVolumeClaim", f"c{draw.randrange(2)}", {**MODES, **size})


def a_volume(draw: Draw) -> Value:
    spec: Value = {"capacity": {"storage": draw.choice(("1Gi", "9Gi"))}, "hostPath": {"path": "/srv"}, **MODES}
    spec["persistentVolumeReclaimPolicy"] = draw.choice(("Retain", "Delete", "Recycle"))
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": f"v{draw.randrange(3)}"}, "spec": spec}


def a_set(draw: Draw) -> Value:
    return replica_set("r0", draw.randrange(4), app=draw.choice(("r0", "d0")))


MAKERS: tuple[Callable[[Draw], Value], ...] = (
    *(a_deployment, a_deployment, a_set, a_stateful_set, a_stateful_set, a_daemon_set, a_controller, a_job, a_job),
    *(a_cron_job, a_service, a_budget, an_autoscaler, a_quota, a_claim, a_volume),
)


def act(c: kplan.Cluster, draw: Draw) -> None:
    """One call of somebody."""
    way, found = draw.randrange(8), draw.choice(c.objects())
    name, pods = found["metadata"]["name"], c.objects("Pod")
    if way < 4 or not pods:
        c.apply([draw.choice(MAKERS)(draw) for _ in range(2)], mode="ssa")
    elif way == 4:
        c.delete(found["kind"], name, propagation=draw.choice(PROPAGATIONS))
    elif way == 5 and isinstance((found.get("spec") or {}).get("replicas"), int):
        c.patch(found["kind"], name, {"spec": {"replicas": draw.randrange(5)}})
    elif way == 6:
        c.evict(draw.choice(pods)["metadata"]["name"])
    else:
        other = draw.choice(({"metadata": {"labels": {"app": "d0"}}}, {"metadata": {"ownerReferences": None}}))
        c.patch("Pod", draw.choice(pods)["metadata"]["name"], other)


@pytest.mark.parametrize("seed", range(SCENARIOS))
def test_counts_are_right_at_rest(seed: int) -> None:
    draw = random.Random(seed)
    c = kplan.Cluster([node("n1"), node("n2")])
    for _ in range(draw.randrange(4, 9)):
        act(c, draw)
        running = draw.random() < 0.8
        c.settle(kubelet=running)
        assert c.unsettled == ""
        for check in (sets_count_their_pods, quotas_count_all, jobs_count_their_pods):
            check(c)
    c.settle()
    owners_are_there(c)


def active(c: kplan.Cluster, owner: Value) -> list[Value]:
    """The pods of an owner that have not ended and are not being deleted."""
    mine = (p for p in c.objects("Pod") if owner["metadata"]["uid"] in owners_of(p))
    alive = (p for p in mine if "deletionTimestamp" not in p["metadata"])
    return [p for p in alive if p["status"]["phase"] not in ("Succeeded", "Failed")]


def sets_count_their_pods(c: kplan.Cluster) -> None:
    for o in (*c.objects("ReplicaSet"), *c.objects("ReplicationController")):
        mine, selector = active(c, o), o["spec"]["selector"]
        selector = selector if o["kind"] == "ReplicaSet" else {"matchLabels": selector}
        assert all(labels.matches(selector, p["metadata"].get("labels")) for p in mine)
        assert o["status"]["replicas"] == len(mine)
        assert o["status"]["observedGeneration"] == o["metadata"]["generation"]
        assert len(mine) == o["spec"]["replicas"] or o["status"].get("conditions") or o["metadata"].get("finalizers")


def quotas_count_all(c: kplan.Cluster) -> None:
    for q in c.objects("ResourceQuota"):
        counted = usage(q, c.objects(namespace="default"), c.store)
        used = {name: quantity.parse(text).nanos for name, text in q["status"]["used"].items()}
        assert used == {name: counted.get(name, 0) for name in q["spec"]["hard"]}


def jobs_count_their_pods(c: kplan.Cluster) -> None:
    for j in c.objects("Job"):
        ended = any(x["type"] in ("Complete", "Failed") for x in j["status"].get("conditions") or ())
        assert j["status"].get("active", 0) == (0 if ended else len(active(c, j)))
        assert not j["status"].get("uncountedTerminatedPods")


def owners_are_there(c: kplan.Cluster) -> None:
    uids = {o["metadata"].get("uid") for o in c.objects()}
    for o in c.objects():
        assert set(owners_of(o)) <= uids, f"{o['kind']} {o['metadata']['name']} has an owner that is gone"
        assert "deletionTimestamp" not in o["metadata"] or o["metadata"].get("finalizers"), o["metadata"]["name"]
