"""What keeps a pod from starting, and how far it gets."""

from __future__ import annotations

from typing import Any

import pytest

import kplan
from kplan.kubelet.outcomes import RUNS, Outcome, of_image

Value = dict[str, Any]

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "a"},
    "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
}


def config_map(name: str = "conf", **data: str) -> Value:
    meta = {"name": name, "namespace": "default"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


def secret(name: str = "pass", **data: str) -> Value:
    return {**config_map(name), "kind": "Secret", "type": "Opaque", "data": data}


def container(name: str = "c", image: str = "registry.example/app:run", **fields: Any) -> Value:
    return {"name": name, "image": image, **fields}


def pod(*containers: Value, **spec: Any) -> Value:
    given = {"containers": list(containers) or [container()], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"}, "spec": given}


def mounting(volume: Value) -> Value:
    mounts = [{"name": "v", "mountPath": "/v"}]
    return pod(container(volumeMounts=mounts), volumes=[{"name": "v", **volume}])


def started(value: Value, *others: Value, script: Any = True) -> kplan.Cluster:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    c = kplan.Cluster([NODE, namespace, *others])
    answer = c.apply([value], mode="replace")[0]
    assert answer.accepted, answer.message
    c.settle(kubelet=script)
    assert not c.unsettled
    return c


def status(c: kplan.Cluster) -> Value:
    (found,) = c.objects("Pod")
    value: Value = found["status"]
    return value


def state(c: kplan.Cluster, name: str = "c") -> Value:
    both = [*status(c).get("initContainerStatuses", ()), *status(c)["containerStatuses"]]
    value: Value = next(s["state"] for s in both if s["name"] == name)
    return value


def condition(c: kplan.Cluster, kind: str) -> Value:
    value: Value = next(x for x in status(c)["conditions"] if x["type"] == kind)
    return value


def warnings(c: kplan.Cluster) -> list[tuple[str, str]]:
    return [(e.reason, e.message) for e in c.events_since_last_settle() if e.type == "Warning"]


def env(**source: Any) -> Value:
    return pod(container(env=[{"name": "X", "valueFrom": source}]))


CONF, PASS = {"configMap": {"name": "conf"}}, {"secret": {"secretName": "pass"}}
ITEM = [{"key": "k", "path": "k"}]
SET_UP = 'MountVolume.SetUp failed for volume "v" : '


@pytest.mark.parametrize(
    ("volume", "message", "cure"),
    [
        (CONF, 'configmap "conf" not found', config_map()),
        (PASS, 'secret "pass" not found', secret()),
        ({"configMap": {"name": "conf", "optional": True}}, "", None),
        ({"secret": {"secretName": "pass", "optional": True}}, "", None),
        ({"projected": {"sources": [CONF]}}, 'configmap "conf" not found', config_map()),
        ({"projected": {"sources": [{"secret": {"name": "s", "optional": True}}]}}, "", None),
        (
            {"projected": {"sources": [CONF, {"secret": {"name": "conf"}}]}},
            '[configmap "conf" not found, secret "conf" not found]',
            None,
        ),
        ({"emptyDir": {}}, "", None),
        ({"hostPath": {"path": "/nowhere", "type": "Directory"}}, "", None),
    ],
)
def test_a_volume_needs_its_source(volume: Value, message: str, cure: Value | None) -> None:
    c = started(mounting(volume))
    if not message:
        assert status(c)["phase"] == "Running"
        return
    assert warnings(c) == [("FailedMount", SET_UP + message)]
    assert (status(c)["phase"], state(c)) == ("Pending", {"waiting": {"reason": "ContainerCreating"}})
    assert "podIP" not in status(c)
    assert condition(c, "Ready")["message"] == "containers with unready status: [c]"
    if cure is not None:
        c.apply([cure])
        assert [r.kubelet for r in c.settle()] == [None, "start p"]
        assert status(c)["phase"] == "Running"
        assert condition(c, "Ready")["status"] == "True"


@pytest.mark.parametrize(
    ("volume", "there", "message"),
    [
        (
            {"configMap": {"name": "conf", "items": ITEM}},
            config_map(),
            "configmap references non-existent config key: k",
        ),
        ({"secret": {"secretName": "pass", "items": ITEM}}, secret(), "references non-existent secret key: k"),
        ({"configMap": {"name": "conf", "items": ITEM}}, config_map(k="v"), ""),
        ({"configMap": {"name": "conf", "items": ITEM}}, {**config_map(), "binaryData": {"k": "AA=="}}, ""),
        ({"configMap": {"name": "conf", "items": ITEM, "optional": True}}, config_map(), ""),
    ],
)
def test_a_volume_needs_its_keys(volume: Value, there: Value, message: str) -> None:
    c = started(mounting(volume), there)
    assert warnings(c) == ([("FailedMount", SET_UP + message)] if message else [])
    assert status(c)["phase"] == ("Pending" if message else "Running")


def test_a_volume_that_nobody_mounts_is_not_looked_at() -> None:
    assert status(started(pod(volumes=[{"name": "v", **CONF}])))["phase"] == "Running"


def test_the_token_of_an_account_that_is_gone() -> None:
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot", "namespace": "default"}}
    c = started(pod(serviceAccountName="robot", nodeSelector={"ready": "yes"}), account)
    c.delete("ServiceAccount", "robot")
    c.store.put({**NODE, "metadata": {"name": "a", "labels": {"ready": "yes"}}})
    c.settle()
    (told,) = [message for reason, message in warnings(c) if reason == "FailedMount"]
    assert told.endswith(' : failed to fetch token: serviceaccounts "robot" not found')
    c.apply([account])
    c.settle()
    assert status(c)["phase"] == "Running"


def test_a_claim_must_be_bound() -> None:
    value = mounting({"persistentVolumeClaim": {"claimName": "data"}})
    value["spec"]["nodeName"] = "a"
    c = started(value)
    why = 'failed to fetch PVC from API server: persistentvolumeclaims "data" not found'
    what = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], "
    what += "failed to process volumes=[v]: error processing PVC default/data: "
    assert warnings(c) == [("FailedMount", what + why)]
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    claim = {**config_map("data"), "kind": "PersistentVolumeClaim", "spec": spec}
    del claim["data"]
    c.apply([claim])
    c.settle()
    assert ("FailedMount", what + "PVC is not bound") in warnings(c)
    spec = {**spec, "capacity": spec["resources"]["requests"], "hostPath": {"path": "/srv"}}
    del spec["resources"]
    c.apply([{"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "v"}, "spec": spec}])
    c.settle()
    assert status(c)["phase"] == "Running"


@pytest.mark.parametrize(
    ("value", "there", "message"),
    [
        (env(configMapKeyRef={"name": "conf", "key": "k"}), None, 'configmap "conf" not found'),
        (
            env(configMapKeyRef={"name": "conf", "key": "k"}),
            config_map(),
            "couldn't find key k in ConfigMap default/conf",
        ),
        (
            env(configMapKeyRef={"name": "conf", "key": "k"}),
            {**config_map(), "binaryData": {"k": "AA=="}},
            "couldn't find key k in ConfigMap default/conf",
        ),
        (env(secretKeyRef={"name": "pass", "key": "k"}), None, 'secret "pass" not found'),
        (env(secretKeyRef={"name": "pass", "key": "k"}), secret(), "couldn't find key k in Secret default/pass"),
        (env(secretKeyRef={"name": "pass", "key": "k"}), secret(k="dg=="), ""),
        (env(secretKeyRef={"name": "pass", "key": "k", "optional": True}), secret(), ""),
        (env(fieldRef={"fieldPath": "metadata.name"}), None, ""),
        (pod(container(envFrom=[{"configMapRef": {"name": "conf"}}])), None, 'configmap "conf" not found'),
        (pod(container(envFrom=[{"secretRef": {"name": "pass"}}])), None, 'secret "pass" not found'),
        (pod(container(envFrom=[{"secretRef": {"name": "pass", "optional": True}}])), None, ""),
    ],
)
def test_variables_need_their_source(value: Value, there: Value | None, message: str) -> None:
    c = started(value, *([there] if there else []))
    if not message:
        assert status(c)["phase"] == "Running"
        return
    assert state(c) == {"waiting": {"reason": "CreateContainerConfigError", "message": message}}
    assert warnings(c) == [("Failed", f"Error: {message}")]
    assert (status(c)["phase"], condition(c, "Initialized")["status"]) == ("Pending", "True")
    c.apply([config_map(k="v"), secret(k="dg==")], mode="replace")
    c.settle()
    assert status(c)["phase"] == "Running"


def test_the_other_containers_run() -> None:
    bad = container("bad", envFrom=[{"configMapRef": {"name": "conf"}}])
    c = started(pod(container("good"), bad))
    assert ("running" in state(c, "good"), "waiting" in state(c, "bad")) == (True, True)
    assert (status(c)["phase"], condition(c, "Ready")["message"]) == (
        "Pending",
        "containers with unready status: [bad]",
    )
    since = state(c, "good")
    c.clock.advance(60)
    c.apply([config_map()])
    c.settle()
    assert (status(c)["phase"], state(c, "good")) == ("Running", since)
    assert state(c, "bad")["running"]["startedAt"] > since["running"]["startedAt"]


def test_a_deployment_waits_for_its_configuration() -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": mounting(CONF)["spec"]}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    meta = {"name": "web", "namespace": "default"}
    c = started({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
    (deployment,) = c.objects("Deployment")
    assert deployment["status"]["unavailableReplicas"] == 2
    c.apply([config_map()])
    assert [r.sets["deployment/web"][2] for r in c.settle()] == [0, 1, 2]


def test_root_is_refused_where_the_manifest_says_so() -> None:
    c = started(pod(container(securityContext={"runAsUser": 0}), securityContext={"runAsNonRoot": True}))
    waiting = state(c)["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    uid = c.objects("Pod")[0]["metadata"]["uid"]
    assert (
        waiting["message"] == f'container\'s runAsUser breaks non-root policy (pod: "p_default({uid})", container: c)'
    )


def test_a_missing_pull_secret_is_only_told() -> None:
    c = started(pod(imagePullSecrets=[{"name": "pass"}, {"name": "other"}]), secret())
    what = "Unable to retrieve some image pull secrets (other); attempting to pull the image may not succeed."
    assert warnings(c) == [("FailedToRetrieveImagePullSecret", what)]
    assert status(c)["phase"] == "Running"


def test_init_containers_come_first_and_in_order() -> None:
    needy = container("two", envFrom=[{"configMapRef": {"name": "conf"}}])
    c = started(pod(container("c"), initContainers=[container("one"), needy, container("three")]))
    assert state(c, "one")["terminated"]["reason"] == "Completed"
    assert state(c, "two")["waiting"]["reason"] == "CreateContainerConfigError"
    assert state(c, "three") == state(c, "c") == {"waiting": {"reason": "PodInitializing"}}
    said = condition(c, "Initialized")
    assert (said["status"], said["message"]) == ("False", "containers with incomplete status: [two three]")
    c.apply([config_map()])
    c.settle()
    assert [s["state"].keys() for s in status(c)["initContainerStatuses"]] == [{"terminated"}] * 3
    assert (status(c)["phase"], condition(c, "Initialized")["status"]) == ("Running", "True")


@pytest.mark.parametrize(
    ("policy", "phase", "first"),
    [("Never", "Failed", "terminated"), ("Always", "Pending", "waiting"), ("OnFailure", "Pending", "waiting")],
)
def test_an_init_container_that_fails(policy: str, phase: str, first: str) -> None:
    value = pod(restartPolicy=policy, initContainers=[container("one", "registry.example/app:exit3")])
    c = started(value)
    assert (status(c)["phase"], list(state(c, "one"))) == (phase, [first])
    assert state(c) == {"waiting": {"reason": "PodInitializing"}}


def test_sidecars_run_beside_and_end_after() -> None:
    sidecar = container("proxy", restartPolicy="Always")
    c = started(pod(restartPolicy="Never", initContainers=[sidecar, container("one")]))
    assert "running" in state(c, "proxy")
    assert "terminated" in state(c, "one")
    slow = container("proxy", "registry.example/app:never-ready", restartPolicy="Always")
    c = started(pod(initContainers=[slow, container("one")]))
    assert (status(c)["phase"], condition(c, "Initialized")["status"]) == ("Running", "True")
    assert condition(c, "Ready")["message"] == "containers with unready status: [proxy]"
    c = started(pod(container(image="registry.example/app:exit0"), restartPolicy="Never", initContainers=[sidecar]))
    assert (status(c)["phase"], state(c, "proxy")["terminated"]["exitCode"]) == ("Succeeded", 0)


def test_readiness_gates_hold_a_pod_back() -> None:
    c = started(pod(readinessGates=[{"conditionType": "example.com/lb"}]))
    said = condition(c, "Ready")
    assert (said["status"], said["reason"]) == ("False", "ReadinessGatesNotReady")
    assert said["message"] == 'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    assert condition(c, "ContainersReady")["status"] == "True"
    for value in ("False", "True"):
        (found,) = c.objects("Pod")
        others = [x for x in found["status"]["conditions"] if x["type"] != "example.com/lb"]
        gate = {"type": "example.com/lb", "status": value}
        c.store.put({**found, "status": {**found["status"], "conditions": [*others, gate]}})
        c.settle()
        if value == "False":
            message = 'the status of pod readiness gate "example.com/lb" is not "True", but False'
            assert condition(c, "Ready")["message"] == message
    assert condition(c, "Ready")["status"] == "True"


PROBE = {"httpGet": {"path": "/", "port": 80}}


@pytest.mark.parametrize(
    ("which", "field", "told", "ready"),
    [
        ("readiness", "readinessProbe", "Readiness probe failed: HTTP probe failed with statuscode: 503", "running"),
        ("liveness", "livenessProbe", "Liveness probe failed: HTTP probe failed with statuscode: 503", "waiting"),
        ("startup", "startupProbe", "Startup probe failed: HTTP probe failed with statuscode: 503", "waiting"),
    ],
)
def test_a_probe_fails_only_where_a_script_says_so(which: str, field: str, told: str, ready: str) -> None:
    value = pod(container(**{field: PROBE}))
    assert condition(started(value), "Ready")["status"] == "True"
    c = started(value, script={"p": Outcome(failing_probe=which)})
    assert (list(state(c)), condition(c, "Ready")["status"], status(c)["phase"]) == ([ready], "False", "Running")
    assert warnings(c) == [("Unhealthy", told)]
    without = started(pod(), script={"p": Outcome(failing_probe=which)})
    assert condition(without, "Ready")["status"] == "True"


def test_a_pod_that_cannot_start_can_be_deleted() -> None:
    c = started(mounting(CONF))
    c.delete("Pod", "p")
    assert [r.kubelet for r in c.settle()] == [None, "gone p"]
    assert c.objects("Pod") == []


@pytest.mark.parametrize(
    ("tag", "outcome"),
    [
        ("1", Outcome()),
        ("run", Outcome()),
        ("never-ready", Outcome(ready=False)),
        ("never-ready-2", Outcome(ready=False)),
        ("2.never-ready", Outcome(ready=False)),
        ("crash-1", Outcome(ready=False, crashes=True)),
        ("crashloop", Outcome(ready=False, crashes=True)),
        ("v2-crash", Outcome(ready=False, crashes=True)),
        ("nocrash", Outcome()),
        ("exit0", Outcome(exit_code=0)),
        ("exit42-2", Outcome(exit_code=42)),
        ("v2_exit3", Outcome(exit_code=3)),
        ("exit3a", Outcome()),
        ("preexit3", Outcome()),
    ],
)
def test_tags_of_examples_say_how_a_container_fares(tag: str, outcome: Outcome) -> None:
    assert (of_image(f"registry.example/app:{tag}", None) or RUNS) == outcome
    assert of_image(f"registry.test/app:{tag}", None) is None
