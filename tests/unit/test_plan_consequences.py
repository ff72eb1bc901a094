"""What follows from the actions of a plan: small changes, and every sentence on them."""

from __future__ import annotations

import re
from typing import Any

import pytest

import kplan
from kplan.cluster import Cluster
from kplan.controllers.registry import controllers
from kplan.model import Action, Plan
from kplan.plan import Settings
from kplan.plan.kinds import Kinds
from kplan.plan.live import desired
from kplan.store import ref_of

Value = dict[str, Any]

LABELS = {"app": "web"}
SIMULATED = {c.name for c in controllers()}
needs_sets = pytest.mark.skipif("statefulset" not in SIMULATED, reason="StatefulSets are not simulated")
needs_jobs = pytest.mark.skipif("job" not in SIMULATED, reason="Jobs are not simulated")
needs_daemons = pytest.mark.skipif("daemonset" not in SIMULATED, reason="DaemonSets are not simulated")


def obj(kind: str, name: str = "web", api: str = "v1", **rest: Any) -> Value:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **rest}


def web(image: str = "web:1", kind: str = "Deployment", notes: Value | None = None, **spec: Any) -> Value:
    """A workload of one container; `env`, `cpu`, `volumes` and `mounts` go into its pod, all else into its spec."""
    container: Value = {"name": "web", "image": image}
    for field, place in (("env", "env"), ("envFrom", "envFrom"), ("mounts", "volumeMounts")):
        if field in spec:
            container[place] = spec.pop(field)
    if "cpu" in spec:
        container["resources"] = {"requests": {"cpu": spec.pop("cpu")}}
    pod: Value = {"containers": [container]}
    if "volumes" in spec:
        pod["volumes"] = spec.pop("volumes")
    template = {"metadata": {"labels": LABELS, **({"annotations": notes} if notes else {})}, "spec": pod}
    return obj(kind, api="apps/v1", spec={"selector": {"matchLabels": LABELS}, "template": template, **spec})


def sets(image: str = "web:1", **spec: Any) -> Value:
    return web(image, "StatefulSet", serviceName="web", **spec)


def service(**selector: str) -> Value:
    return obj("Service", spec={"selector": selector or LABELS, "ports": [{"port": 80}]})


def budget(**spec: Any) -> Value:
    return obj("PodDisruptionBudget", api="policy/v1", spec={"selector": {"matchLabels": LABELS}, **spec})


def quota(**hard: str) -> Value:
    return obj("ResourceQuota", spec={"hard": hard})


def config(name: str = "cfg", value: str = "1") -> Value:
    return obj("ConfigMap", name, data={"k": value})


def claim(mode: str = "ReadWriteOnce", size: str = "1Gi") -> Value:
    asked = {"requests": {"storage": size}}
    return obj(
        "PersistentVolumeClaim", "data", spec={"accessModes": [mode], "resources": asked, "storageClassName": "fast"}
    )


def fast(policy: str = "Delete", **fields: Any) -> Value:
    meta = {"name": "fast"}
    kind = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass"}
    return {**kind, "metadata": meta, "provisioner": "disk.example", "reclaimPolicy": policy, **fields}


def node(name: str, cpu: str = "1") -> Value:
    room = {"cpu": cpu, "memory": "4Gi", "pods": "110"}
    meta = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "status": {"allocatable": room}}


def job(image: str = "job:1", **spec: Any) -> Value:
    pod = {"restartPolicy": "Never", "containers": [{"name": "job", "image": image}]}
    return obj("Job", api="batch/v1", spec={**spec, "template": {"spec": pod}})


SCALER = obj(
    "HorizontalPodAutoscaler",
    api="autoscaling/v2",
    spec={
        "minReplicas": 2,
        "maxReplicas": 9,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
    },
)
TEMPLATES = [
    {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
]
NO_SURGE = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
RECREATE = {"type": "Recreate"}
DATA = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}
FROM = {"envFrom": [{"configMapRef": {"name": "cfg"}}]}


def make(before: list[Value], after: list[Value], **settings: Any) -> Plan:
    current = Cluster(before)
    written = {ref_of(v).key: v for v in before}
    applied = list(desired(current.objects(), after, Kinds("1.36"), written))
    sides = (written, {ref_of(v).key: m for v, m in applied})
    return kplan.plan(current, Cluster(v for v, _ in applied), settings=Settings(**settings), written=sides)


def told(plan: Plan, kind: str) -> Action:
    (found,) = [a for a in plan.actions if a.ref.kind == kind and a.verb != "keep"]
    return found


ROLLOUTS = [
    pytest.param(
        web(replicas=3),
        web("web:2", replicas=3),
        "rollout: 3 pods restart because image of web changed; at most 1 extra, none unavailable; "
        "3 steps (1+3, 2+2, 3+1 new + old pods)",
        id="image",
    ),
    pytest.param(
        web(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
        web(env=[{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]),
        "rollout: 1 pod restarts because order of env of web changed (order only); at most 1 extra, none unavailable; "
        "1 step",
        id="order only",
    ),
    pytest.param(
        web(notes={"checksum/config": "1"}),
        web(notes={"checksum/config": "2"}),
        "rollout: 1 pod restarts because checksum annotation checksum/config changed; at most 1 extra, "
        "none unavailable; 1 step",
        id="checksum",
    ),
    pytest.param(
        web(replicas=3, strategy=NO_SURGE),
        web("web:2", replicas=3, strategy=NO_SURGE),
        "rollout: 3 pods restart because image of web changed; no extra, at most 1 unavailable; "
        "3 steps (1+2, 2+1, 3+0 new + old pods)",
        id="no surge",
    ),
    pytest.param(
        web(replicas=2, strategy=RECREATE),
        web("web:2", replicas=2, strategy=RECREATE),
        "rollout: 2 pods restart because image of web changed; all stop before the first new one starts (Recreate)",
        id="recreate",
    ),
    pytest.param(
        web(replicas=2),
        web("web:2", replicas=3),
        "rollout: 2 pods restart and 1 more starts because image of web changed; at most 1 extra, none unavailable; "
        "3 steps (1+3, 2+2, 3+1 new + old pods)",
        id="scaled up",
    ),
    pytest.param(
        web(replicas=3),
        web("web:2", replicas=1),
        "rollout: 1 pod restarts and 2 stop because image of web changed; no extra, none unavailable; 1 step",
        id="scaled down",
    ),
    pytest.param(
        web(replicas=0), web("web:2", replicas=0), "no pods run (replicas 0); image of web changed", id="none"
    ),
    pytest.param(
        web(paused=True),
        web("web:2", paused=True),
        "pods stay as long as the Deployment is paused; image of web changed",
        id="paused",
    ),
    pytest.param(
        sets(replicas=3),
        sets("web:2", replicas=3),
        "rollout: 3 pods restart because image of web changed; no extra, at most 1 unavailable; "
        "3 steps (1+2, 2+1, 3+0 new + old pods)",
        id="set",
        marks=needs_sets,
    ),
    pytest.param(
        sets(replicas=3, updateStrategy={"rollingUpdate": {"partition": 2}}),
        sets("web:2", replicas=3, updateStrategy={"rollingUpdate": {"partition": 2}}),
        "rollout: 1 of 3 pods restarts (partition 2) because image of web changed; no extra, at most 1 unavailable; "
        "1 step",
        id="partition",
        marks=needs_sets,
    ),
    pytest.param(
        sets(updateStrategy={"type": "OnDelete"}),
        sets("web:2", updateStrategy={"type": "OnDelete"}),
        "pods keep the old template until they are deleted (OnDelete); image of web changed",
        id="on delete",
    ),
    pytest.param(
        web(kind="DaemonSet"),
        web("web:2", "DaemonSet"),
        "rollout: pods restart because image of web changed",
        id="daemons on nobody knows how many nodes",
    ),
]


@pytest.mark.parametrize(("before", "after", "rollout"), ROLLOUTS)
def test_rollouts(before: Value, after: Value, rollout: str) -> None:
    action = told(make([before], [after]), before["kind"])
    assert action.rollout == rollout
    assert action.consequences == ()


@needs_daemons
def test_daemons_on_known_nodes() -> None:
    nodes = [node("n1"), node("n2")]
    action = told(make([*nodes, web(kind="DaemonSet")], [*nodes, web("web:2", "DaemonSet")]), "DaemonSet")
    assert action.rollout == (
        "rollout: 2 pods restart because image of web changed; no extra, at most 1 unavailable; "
        "2 steps (1+1, 2+0 new + old pods)"
    )
    assert action.consequences == ("2 new pods go to n1, n2",)


CONSEQUENCES = [
    pytest.param("Deployment", [], [web(replicas=2)], ["2 pods start"], id="comes"),
    pytest.param("Deployment", [web(replicas=2)], [], ["2 pods stop"], id="goes"),
    pytest.param("Deployment", [web(replicas=2)], [web(replicas=3)], ["1 more pod starts"], id="more"),
    pytest.param("Deployment", [web(replicas=3)], [web(replicas=1)], ["2 pods stop"], id="fewer"),
    pytest.param(
        "Deployment",
        [quota(pods="2"), web(replicas=2)],
        [quota(pods="2"), web("web:2", replicas=2)],
        [
            (
                "rollout will stick: no pod can be created: exceeded quota: web, requested: pods=1, used: pods=2, "
                "limited: pods=2; first stuck at step 1, 2 of 2 old pods still serve"
            )
        ],
        id="quota",
    ),
    pytest.param(
        "Deployment",
        [web("r.example/web:run", replicas=2)],
        [web("r.example/web:never-ready", replicas=2)],
        [
            (
                "rollout will stick: pod web-#-<1> does not become ready; first stuck at step 1, "
                "2 of 2 old pods still serve"
            )
        ],
        id="never ready",
    ),
    pytest.param(
        "Deployment",
        [node("n1"), node("n2"), web(replicas=2, cpu="600m")],
        [node("n1"), node("n2"), web(replicas=2, cpu="700m")],
        [
            (
                "rollout will stick: pod web-#-<1> does not fit: 0/2 nodes are available: 2 Insufficient cpu.; "
                "first stuck at step 1, 2 of 2 old pods still serve"
            )
        ],
        id="no room",
    ),
    pytest.param(
        "Deployment",
        [node("n1", "2"), web(cpu="600m")],
        [node("n1", "2"), web(cpu="700m")],
        ["1 new pod goes to n1"],
        id="room",
    ),
    pytest.param("Deployment", [web(cpu="600m")], [web(cpu="700k")], [], id="no nodes, so nothing is said about room"),
    pytest.param(
        "Deployment",
        [service(), web(replicas=2, strategy=RECREATE)],
        [service(), web("web:2", replicas=2, strategy=RECREATE)],
        ["Service web has no ready endpoints for a while"],
        id="gap",
    ),
    pytest.param("Deployment", [service(), web()], [service(), web("web:2")], [], id="no gap"),
    pytest.param(
        "Deployment",
        [service(), web()],
        [service()],
        ["1 pod stops", "Service web is left without endpoints"],
        id="service without workload",
    ),
    pytest.param(
        "Service",
        [service(), web()],
        [service(app="other"), web()],
        ["its selector matches no pods any more: its endpoints go empty"],
        id="selector",
    ),
    pytest.param(
        "PodDisruptionBudget",
        [budget(minAvailable=1), web(replicas=2)],
        [budget(minAvailable=2), web(replicas=2)],
        ["no pod may be evicted then (minAvailable 2): draining their nodes waits"],
        id="budget",
    ),
    pytest.param(
        "PodDisruptionBudget",
        [budget(minAvailable=2), web(replicas=2)],
        [budget(minAvailable="50%"), web(replicas=2)],
        [],
        id="budget with room",
    ),
    pytest.param(
        "Deployment",
        [budget(minAvailable=1), web(replicas=2)],
        [budget(minAvailable=1), web(replicas=1)],
        ["1 pod stops", "PodDisruptionBudget web allows no eviction then (minAvailable 1)"],
        id="too few for the budget",
    ),
    pytest.param(
        "Deployment",
        [budget(maxUnavailable=0), web(replicas=3, strategy=NO_SURGE)],
        [budget(maxUnavailable=0), web("web:2", replicas=3, strategy=NO_SURGE)],
        ["the rollout goes below PodDisruptionBudget web: 2 ready, maxUnavailable 0"],
        id="rollout below the budget",
    ),
    pytest.param(
        "Deployment",
        [SCALER, web(replicas=2)],
        [SCALER, web("web:2", replicas=2)],
        ["sets 2 replicas, as the manifest says, whatever HorizontalPodAutoscaler web (2 to 9) has chosen"],
        id="replicas in the manifest",
    ),
    pytest.param(
        "Deployment",
        [SCALER, web(replicas=2)],
        [SCALER, web("web:2")],
        ["spec.replicas leaves the manifest, so 2 replicas become 1 until HorizontalPodAutoscaler web scales again"],
        id="replicas leave the manifest",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim(), fast()],
        [fast()],
        ["its volume and the data on it are lost (reclaim policy Delete of StorageClass fast)"],
        id="claim goes",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim(), fast("Retain"), web(**DATA)],
        [fast("Retain"), web(**DATA)],
        [
            "its volume is kept, but no new claim gets it by itself (reclaim policy Retain of StorageClass fast)",
            "it stays until the pods of Deployment web are gone, which use it",
        ],
        id="claim in use goes",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim(), web(**DATA)],
        [claim("ReadWriteMany"), web("web:2", **DATA)],
        [
            "will not be replaced as long as a pod uses it",
            "its volume and the data on it are lost, unless the reclaim policy of its volume is Retain",
            "it stays until the pods of Deployment web are gone, which use it",
        ],
        id="claim in use is replaced",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim(), fast()],
        [claim(size="2Gi"), fast()],
        ["refused: StorageClass fast does not let volumes grow (allowVolumeExpansion)"],
        id="claim grows against its class",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim(), fast()],
        [claim(size="2Gi"), fast(allowVolumeExpansion=True)],
        ["its volume grows to 2Gi and cannot shrink again"],
        id="claim grows with its class",
    ),
    pytest.param(
        "PersistentVolumeClaim",
        [claim()],
        [claim(size="2Gi")],
        ["its volume grows to 2Gi if its StorageClass lets it, and cannot shrink again"],
        id="claim of an unknown class grows",
    ),
    pytest.param(
        "Deployment",
        [claim(), web(**DATA)],
        [claim(), web("web:2", **DATA)],
        ["may stick: a new pod on another node waits for claim data (ReadWriteOnce) until the old one stops"],
        id="claim for one node",
    ),
    pytest.param(
        "Deployment",
        [claim(), web(strategy=RECREATE, **DATA)],
        [claim(), web("web:2", strategy=RECREATE, **DATA)],
        [],
        id="claim for one node at a time",
    ),
    pytest.param(
        "Deployment",
        [claim("ReadWriteMany"), web(**DATA)],
        [claim("ReadWriteMany"), web("web:2", **DATA)],
        [],
        id="claim for all nodes",
    ),
    pytest.param(
        "StatefulSet",
        [sets(replicas=3, volumeClaimTemplates=TEMPLATES)],
        [sets(replicas=1, volumeClaimTemplates=TEMPLATES)],
        ["2 pods stop", "2 claims (data-web-1 …) stay with the data"],
        id="claims of a smaller set",
        marks=needs_sets,
    ),
    pytest.param("Job", [], [job(completions=3)], ["3 pods run"], id="job", marks=needs_jobs),
    pytest.param(
        "Job",
        [],
        [job("r.example/job:exit1", backoffLimit=0)],
        ["1 pod runs", "will stick: the Job fails: Job has reached the specified backoff limit"],
        id="job that fails",
        marks=needs_jobs,
    ),
    pytest.param("Job", [job()], [job("job:2")], ["1 pod runs"], id="job again", marks=needs_jobs),
    pytest.param(
        "ConfigMap",
        [config(), web(**FROM)],
        [web(**FROM)],
        ["Deployment web needs cfg: its pods cannot start once that is destroyed"],
        id="configuration goes",
    ),
    pytest.param("ConfigMap", [config(), web()], [web()], [], id="configuration that nobody needs"),
    pytest.param(
        "Service",
        [],
        [obj("Service", spec={"selector": LABELS, "ports": [{"port": 70000}]}), web()],
        [
            (
                'will be refused: Service "web" is invalid: [spec.ports[0].port: Invalid value: 70000: must be between '
                "1 and 65535, inclusive, spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, "
                "inclusive]"
            )
        ],
        id="refused",
    ),
]


@pytest.mark.parametrize(("kind", "before", "after", "expected"), CONSEQUENCES)
def test_consequences(kind: str, before: list[Value], after: list[Value], expected: list[str]) -> None:
    plan = make(before, after)
    found = [re.sub(r"web-[0-9a-z]+-<", "web-#-<", line) for line in told(plan, kind).consequences]
    assert found == expected
    assert plan.warnings == ()


def test_a_namespace_takes_what_the_plan_keeps() -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    kept = config()
    kept["metadata"]["annotations"] = {"helm.sh/resource-policy": "keep"}
    action = told(make([space, kept, config("other"), web()], []), "Namespace")
    assert action.consequences == ("1 object that the plan keeps goes with it: ConfigMap cfg",)
    assert told(make([space, config()], []), "Namespace").consequences == ()


def test_pods_that_make_room() -> None:
    vip = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "vip"}, "value": 1000}
    there = [node("n1"), vip, web(cpu="800m")]
    other = web(cpu="800m")
    other["metadata"] = {**other["metadata"], "name": "other"}
    other["spec"]["template"]["spec"]["priorityClassName"] = "vip"
    lines = told(make(there, [*there, other]), "Deployment").consequences
    assert lines[:2] == ("1 pod starts", "1 new pod goes to n1")
    assert re.fullmatch(r"Pod web-[0-9a-z]+-<1> is evicted to make room", lines[2])


def test_claims_that_stay_keep_their_size() -> None:
    spec = {**TEMPLATES[0]["spec"], "resources": {"requests": {"storage": "2Gi"}}}
    larger = [{**TEMPLATES[0], "spec": spec}]
    action = told(make([sets(volumeClaimTemplates=TEMPLATES)], [sets(volumeClaimTemplates=larger)]), "StatefulSet")
    assert action.verb == "replace"
    assert "claims that exist keep 1Gi: 2Gi is for new ones only" in action.consequences


@pytest.mark.parametrize(
    ("use", "effect"),
    [
        ({"envFrom": [{"configMapRef": {"name": "cfg"}}]}, "reads it into environment variables"),
        (
            {
                "volumes": [{"name": "v", "configMap": {"name": "cfg"}}],
                "mounts": [{"name": "v", "mountPath": "/etc/cfg"}],
            },
            "mounts it: files in running pods change",
        ),
        (
            {
                "volumes": [{"name": "v", "configMap": {"name": "cfg"}}],
                "mounts": [{"name": "v", "mountPath": "/etc/cfg/k", "subPath": "k"}],
            },
            "mounts it with subPath: files in running pods do not change",
        ),
    ],
)
def test_what_does_not_restart_though_its_configuration_changed(use: Value, effect: str) -> None:
    (note,) = told(make([config(), web(**use)], [config(value="2"), web(**use)]), "ConfigMap").notes
    assert note.startswith(f"Deployment web {effect}")
    # a restart for another reason reads the new values
    assert told(make([config(), web(**use)], [config(value="2"), web("web:2", **use)]), "ConfigMap").notes == ()
    held = {**use, "paused": True}
    assert told(make([config(), web(**held)], [config(value="2"), web("web:2", **held)]), "ConfigMap").notes


def test_a_new_name_of_configuration_restarts() -> None:
    def reader(name: str) -> Value:
        return web(replicas=2, envFrom=[{"configMapRef": {"name": name}}])

    old, new = "cfg-7g4t7m57mg", "cfg-dc5dg9m84f"
    plan = make([config(old), reader(old)], [config(new, "2"), reader(new)])
    assert told(plan, "Deployment").rollout.startswith(
        f"rollout: 2 pods restart because name of ConfigMap {old} changed"
    )
    assert told(plan, "ConfigMap").consequences == ()


def test_replaced_workloads_stop_first() -> None:
    other = web(replicas=2)
    other["spec"] |= {"selector": {"matchLabels": {"b": "c"}}}
    other["spec"]["template"] = {**other["spec"]["template"], "metadata": {"labels": {"b": "c"}}}
    action = told(make([web(replicas=2)], [other]), "Deployment")
    assert action.rollout == "rollout: 2 pods stop, then 2 start because label app, label b changed"


def test_secret_values_in_no_consequence() -> None:
    def labelled(image: str) -> Value:
        value = web(image)
        value["metadata"]["labels"] = {"db-password": "hunter 2"}
        return value

    action = told(make([], [labelled("web:1")]), "Deployment")
    (refused,) = [c for c in action.consequences if c.startswith("will be refused")]
    assert "hunter" not in refused
    assert "(sensitive #" in refused
    shown = told(make([], [labelled("web:1")], show_secrets=True), "Deployment")
    assert "hunter 2" in shown.consequences[0]


def test_many_steps_are_counted_only() -> None:
    action = told(
        make([web(replicas=9, strategy=NO_SURGE)], [web("web:2", replicas=9, strategy=NO_SURGE)]), "Deployment"
    )
    assert action.rollout.endswith("no extra, at most 1 unavailable; 9 steps")
