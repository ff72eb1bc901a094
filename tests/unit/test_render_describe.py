"""`kplan describe`: kubectl's layout, in full for recorded objects and in part for the rest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kplan.render import age
from kplan.render.describe import BY_KIND, Context, describe
from kplan.render.describe.events import of_object
from kplan.render.describe.generic import label

Value = dict[str, Any]

NOW = age.read("2026-01-01T12:00:00Z")
BORN = "2026-01-01T11:54:30Z"
RECORDED = json.loads((Path(__file__).parents[1] / "data" / "views" / "recorded.json").read_text(encoding="utf-8"))


def around(*objects: Value, **more: Any) -> Context:
    """What is around an object: these objects."""

    def find(kind: str, namespace: str | None) -> list[Value]:
        there = (o for o in objects if o["kind"] == kind)
        return [o for o in there if namespace in (None, o["metadata"].get("namespace"))]

    return Context(now=NOW, find=find, **more)


def recorded(part: str, kind: str, index: int = 0) -> str:
    given = RECORDED[part]
    chosen = [o for o in given["objects"] if o["kind"] == kind][index]
    return describe(chosen, around(*given["objects"], events=given.get("events", ())))


def made(api_version: str, kind: str, **body: Any) -> Value:
    meta = {"name": "x", "namespace": "shop", **body.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": meta, **body}


def section(text: str, first: str, last: str = "") -> list[str]:
    """The lines from the one that starts with `first` up to the one before `last`."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(first))
    end = next((i for i, line in enumerate(lines) if last and i > start and line.startswith(last)), len(lines))
    return lines[start:end]


DEPLOYMENT = """\
Name:                   back
Namespace:              app-front-back-db
CreationTimestamp:      <unknown>
Labels:                 <none>
Annotations:            deployment.kubernetes.io/revision: 2
Selector:               app=back
Replicas:               2 desired | 2 updated | 2 total | 2 available | 0 unavailable
StrategyType:           RollingUpdate
MinReadySeconds:        0
RollingUpdateStrategy:  0 max unavailable, 1 max surge
Pod Template:
  Labels:  app=back
  Containers:
   c:
    Image:      registry.example/store:2
    Port:       8080/TCP (http)
    Host Port:  0/TCP (http)
    Requests:
      cpu:  100m
    Environment Variables from:
      settings     ConfigMap  Optional: false
      creds        Secret     Optional: false
    Environment:   <none>
    Mounts:        <none>
  Volumes:         <none>
  Node-Selectors:  <none>
  Tolerations:     <none>
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Available      True    MinimumReplicasAvailable
  Progressing    True    NewReplicaSetAvailable
OldReplicaSets:  back-79bf8c689f (0/0 replicas created)
NewReplicaSet:   back-867d5bb88d (2/2 replicas created)
Events:
  Type    Reason             Age        From                   Message
  ----    ------             ----       ----                   -------
  Normal  ScalingReplicaSet  <unknown>  deployment-controller  Scaled up replica set back-867d5bb88d from 0 to 1
  Normal  ScalingReplicaSet  <unknown>  deployment-controller  Scaled down replica set back-79bf8c689f from 2 to 1
  Normal  ScalingReplicaSet  <unknown>  deployment-controller  Scaled up replica set back-867d5bb88d from 1 to 2
  Normal  ScalingReplicaSet  <unknown>  deployment-controller  Scaled down replica set back-79bf8c689f from 1 to 0
"""
POD = """\
Name:             back-867d5bb88d-<1>
Namespace:        app-front-back-db
Priority:         0
Service Account:  default
Node:             n1/
Start Time:       <t>
Labels:           app=back
                  pod-template-hash=867d5bb88d
Annotations:      <none>
Status:           Running
IP:               <ip back-867d5bb88d-<1>>
IPs:
  IP:           <ip back-867d5bb88d-<1>>
Controlled By:  ReplicaSet/back-867d5bb88d
Containers:
  c:
    Container ID:
    Image:          registry.example/store:2
    Image ID:
    Port:           8080/TCP (http)
    Host Port:      0/TCP (http)
    State:          Running
      Started:      <t>
    Ready:          True
    Restart Count:  0
    Requests:
      cpu:  100m
    Environment Variables from:
      settings    ConfigMap  Optional: false
      creds       Secret     Optional: false
    Environment:  <none>
    Mounts:
      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-<r> (ro)
Conditions:
  Type              Status
  PodScheduled      True
  Initialized       True
  ContainersReady   True
  Ready             True
Volumes:
  kube-api-access-<r>:
    Type:                    Projected (a volume that contains injected data from multiple sources)
    TokenExpirationSeconds:  3607
    ConfigMapName:           kube-root-ca.crt
    Optional:                false
    DownwardAPI:             true
QoS Class:                   Burstable
Node-Selectors:              <none>
Tolerations:                 node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                             node.kubernetes.io/unreachable:NoExecute op=Exists for 300s
Events:                      <none>
"""
SERVICE = """\
Name:                     back
Namespace:                app-front-back-db
Labels:                   <none>
Annotations:              <none>
Selector:                 app=back
Type:                     ClusterIP
IP Family Policy:         SingleStack
IP Families:              IPv4
IP:                       <clusterIP>
IPs:                      <clusterIP>
Port:                     http  80/TCP
TargetPort:               http/TCP
Endpoints:                <ip back-867d5bb88d-<1>>:8080,<ip back-867d5bb88d-<2>>:8080
Session Affinity:         None
Internal Traffic Policy:  Cluster
Events:                   <none>
"""
CLAIM = """\
Name:          want2
Namespace:     pv-static-binding
StorageClass:
Status:        Bound
Volume:        s3
Labels:        <none>
Annotations:   pv.kubernetes.io/bind-completed: yes
               pv.kubernetes.io/bound-by-controller: yes
Finalizers:    [kubernetes.io/pvc-protection]
Capacity:      3Gi
Access Modes:  RWO
VolumeMode:    Filesystem
Used By:       <none>
Events:        <none>
"""


@pytest.mark.parametrize(
    ("part", "kind", "text"),
    [
        ("rollout", "Deployment", DEPLOYMENT),
        ("rollout", "Pod", POD),
        ("rollout", "Service", SERVICE),
        ("claims", "PersistentVolumeClaim", CLAIM),
    ],
)
def test_recorded_object(part: str, kind: str, text: str) -> None:
    assert recorded(part, kind) == text


def test_replica_set_counts_its_own_pods() -> None:
    text = recorded("rollout", "ReplicaSet", 1)
    assert "Replicas:       2 current / 2 desired\nPods Status:    2 Running / 0 Waiting / 0 Succeeded" in text


def test_job_and_cron_job() -> None:
    assert "Pods Statuses:    0 Active (0 Ready) / 1 Succeeded / 0 Failed\n" in recorded("cronjob", "Job")
    text = recorded("cronjob", "CronJob")
    assert "Starting Deadline Seconds:     <unset>\nSelector:                      <unset>\n" in text
    assert text.endswith("Last Schedule Time:  <unset>\nActive Jobs:         <none>\nEvents:              <none>\n")


def test_volume() -> None:
    assert section(recorded("claims", "PersistentVolume"), "Node Affinity") == [
        "Node Affinity:   <none>",
        "Message:",
        "Source:",
        "    Type:          HostPath (bare host directory volume)",
        "    Path:          /srv/fast2",
        "    HostPathType:",
        "Events:            <none>",
    ]


def test_autoscaler() -> None:
    assert section(recorded("autoscaler", "HorizontalPodAutoscaler"), "Reference", "Conditions") == [
        "Reference:                                             Deployment/high",
        "Metrics:                                               ( current / target )",
        "  resource cpu on pods  (as a percentage of request):  <unknown> / 80%",
        "Min replicas:                                          1",
        "Max replicas:                                          4",
        "Deployment pods:                                       4 current / 4 desired",
    ]


def test_quota() -> None:
    assert section(recorded("quota", "ResourceQuota"), "Resource ")[:4] == [
        "Resource                Used   Hard",
        "--------                ----   ----",
        "count/deployments.apps  1      3",
        "limits.memory           256Mi  1Gi",
    ]


def test_container_in_all_its_parts() -> None:
    container = {
        "name": "c",
        "image": "i:1",
        "command": ["sh", "-c", "one\ntwo"],
        "ports": [{"containerPort": 1, "hostPort": 2, "protocol": "UDP"}, {"containerPort": 3}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "web", "scheme": "HTTPS"}, "periodSeconds": 10},
        "readinessProbe": {"exec": {"command": ["cat", "/ok"]}, "failureThreshold": 3},
        "env": [
            {"name": "A", "value": "1\n2"},
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}}},
            {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            {"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
            {"name": "M", "valueFrom": {"configMapKeyRef": {"name": "m", "key": "k"}}},
        ],
        "volumeMounts": [{"mountPath": "/z", "name": "z"}, {"mountPath": "/a", "name": "z", "subPath": "p"}],
    }
    status = {
        "name": "c",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "startedAt": BORN, "finishedAt": BORN}},
        "restartCount": 2,
    }
    pod = made(
        "v1", "Pod", spec={"containers": [container]}, status={"podIP": "10.0.0.1", "containerStatuses": [status]}
    )
    assert section(describe(pod, around()), "Containers:", "Volumes:") == [
        "Containers:",
        "  c:",
        "    Container ID:",
        "    Image:         i:1",
        "    Image ID:",
        "    Ports:         1/UDP, 3/TCP",
        "    Host Ports:    2/UDP, 0/TCP",
        "    Command:",
        "      sh",
        "      -c",
        "      one",
        "      two",
        "    State:          Waiting",
        "      Reason:       CrashLoopBackOff",
        "    Last State:     Terminated",
        "      Reason:       Error",
        "      Exit Code:    1",
        "      Started:      Thu, 01 Jan 2026 11:54:30 +0000",
        "      Finished:     Thu, 01 Jan 2026 11:54:30 +0000",
        "    Ready:          False",
        "    Restart Count:  2",
        "    Liveness:       http-get https://:web/live delay=0s timeout=0s period=10s #success=0 #failure=0",
        "    Readiness:      exec [cat /ok] delay=0s timeout=0s period=0s #success=0 #failure=3",
        "    Environment:",
        "      A:    1",
        "            2",
        "      IP:   10.0.0.1 (v1:status.podIP)",
        "      CPU:  node allocatable (limits.cpu)",
        "      K:    <set to the key 'k' in secret 's'>      Optional: true",
        "      M:    <set to the key 'k' of config map 'm'>  Optional: false",
        "    Mounts:",
        '      /a from z (rw,path="p")',
        "      /z from z (rw)",
    ]


def test_pod_that_is_being_deleted() -> None:
    meta = {"deletionTimestamp": BORN, "deletionGracePeriodSeconds": 30}
    text = describe(made("v1", "Pod", metadata=meta, status={"phase": "Running"}), around())
    assert section(text, "Status:", "IP:") == [
        "Status:                    Terminating (lasts 5m30s)",
        "Termination Grace Period:  30s",
    ]


def test_node_adds_up_what_its_pods_ask_for() -> None:
    node = made(
        "v1",
        "Node",
        metadata={"namespace": None},
        spec={"taints": [{"key": "b", "effect": "NoSchedule"}, {"key": "a", "value": "1", "effect": "NoExecute"}]},
        status={"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "110", "example.com/gpu": "2"}},
    )
    resources = {"requests": {"cpu": "500m", "memory": "1Gi", "example.com/gpu": "1"}, "limits": {"cpu": "3"}}
    spec = {"nodeName": "x", "containers": [{"resources": resources}]}
    pods = [made("v1", "Pod", metadata={"name": n}, spec=spec, status={"phase": p}) for n, p in ("a1", "b2")]
    pods[0]["metadata"]["creationTimestamp"] = BORN
    pods[0]["status"]["phase"], pods[1]["status"]["phase"] = "Running", "Succeeded"
    text = describe(node, around(*pods))
    assert section(text, "Taints", "Unschedulable") == [
        "Taints:             a=1:NoExecute",
        "                    b:NoSchedule",
    ]
    assert [" ".join(line.split()) for line in section(text, "Non-terminated", "Events")] == [
        "Non-terminated Pods: (1 in total)",
        "Namespace Name CPU Requests CPU Limits Memory Requests Memory Limits Age",
        "--------- ---- ------------ ---------- --------------- ------------- ---",
        "shop a 500m (25%) 3 (150%) 1Gi (25%) 0 (0%) 5m30s",
        "Allocated resources:",
        "(Total limits may be over 100 percent, i.e., overcommitted.)",
        "Resource Requests Limits",
        "-------- -------- ------",
        "cpu 500m (25%) 3 (150%)",
        "memory 1Gi (25%) 0 (0%)",
        "ephemeral-storage 0 (0%) 0 (0%)",
        "example.com/gpu 1 0",
    ]


def test_ingress_shows_what_is_behind_each_path() -> None:
    def path(name: str, port: Value) -> Value:
        return {"path": f"/{name}", "backend": {"service": {"name": name, "port": port}}}

    service = made("v1", "Service", metadata={"name": "web"}, spec={"ports": [{"name": "http", "port": 80}]})
    endpoints = made(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        metadata={"labels": {"kubernetes.io/service-name": "web"}},
        ports=[{"name": "http", "port": 8080}],
        endpoints=[
            {"addresses": ["10.0.0.1"], "conditions": {"ready": True}},
            {"addresses": ["10.0.0.2"], "conditions": {"ready": False}},
        ],
    )
    rules = [{"host": "a.example", "http": {"paths": [path("web", {"number": 80}), path("gone", {"name": "p"})]}}]
    spec = {"rules": rules, "tls": [{"hosts": ["a.example"], "secretName": "t"}], "ingressClassName": "nginx"}
    text = describe(made("networking.k8s.io/v1", "Ingress", spec=spec), around(service, endpoints))
    assert section(text, "Ingress Class") == [
        "Ingress Class:    nginx",
        "Default backend:  <default>",
        "TLS:",
        "  t terminates a.example",
        "Rules:",
        "  Host        Path  Backends",
        "  ----        ----  --------",
        "  a.example",
        "              /web    web:80 (10.0.0.1:8080)",
        '              /gone   gone:p (<error: services "gone" not found>)',
        "Annotations:  <none>",
        "Events:       <none>",
    ]


def test_network_policy() -> None:
    block = {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}
    both = {"namespaceSelector": {"matchLabels": {"a": "b"}}, "podSelector": {}}
    ingress = [{"ports": [{"port": 80, "endPort": 90}], "from": [block, both]}, {}]
    spec = {"podSelector": {}, "ingress": ingress, "egress": [], "policyTypes": ["Ingress", "Egress"]}
    text = describe(made("networking.k8s.io/v1", "NetworkPolicy", spec=spec), around())
    assert section(text, "Spec:") == [
        "Spec:",
        "  PodSelector:     <none> (Allowing the specific traffic to all pods in this namespace)",
        "  Allowing ingress traffic:",
        "    To Port: 80-90/TCP",
        "    From:",
        "      IPBlock:",
        "        CIDR: 10.0.0.0/8",
        "        Except: 10.1.0.0/16",
        "    From:",
        "      NamespaceSelector: a=b",
        "      PodSelector: <none>",
        "    ----------",
        "    To Port: <any> (traffic allowed to all ports)",
        "    From: <any> (traffic not restricted by source)",
        "  Allowing egress traffic:",
        "    <none> (Selected pods are isolated for egress connectivity)",
        "  Policy Types: Ingress, Egress",
    ]


def test_rules_are_taken_apart_and_put_together_by_verbs() -> None:
    rules = [
        {"apiGroups": ["", "apps"], "resources": ["pods"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["deployments/scale"], "resourceNames": ["a"], "verbs": ["update"]},
        {"nonResourceURLs": ["/healthz"], "verbs": ["get"]},
    ]
    text = describe(made("rbac.authorization.k8s.io/v1", "Role", rules=rules), around())
    assert section(text, "PolicyRule") == [
        "PolicyRule:",
        "  Resources               Non-Resource URLs  Resource Names  Verbs",
        "  ---------               -----------------  --------------  -----",
        "  pods                    []                 []              [get list]",
        "                          [/healthz]         []              [get]",
        "  pods.apps               []                 []              [get]",
        "  deployments.apps/scale  []                 [a]             [update]",
    ]


def test_config_map_and_secret() -> None:
    data = {"b": "x: 1\n\ty", "a": "Events:"}
    assert section(describe(made("v1", "ConfigMap", data=data, binaryData={"z": "AAEC"}), around()), "Data") == [
        *("Data", "====", "a:", "----", "Events:", "", "b:", "----", "x: 1", "        y", "", ""),
        *("BinaryData", "====", "z: 3 bytes", "", "Events:  <none>"),
    ]
    secret = made("v1", "Secret", type="Opaque", data={"k": "(sensitive #1)", "unknown": "(sensitive #2)"})
    assert section(describe(secret, around(sizes={"k": 12})), "Type") == [
        *("Type:  Opaque", "", "Data", "====", "k:        12 bytes", "unknown:  ? bytes"),
    ]


def test_namespace_with_its_quotas_and_limits() -> None:
    quota = made("v1", "ResourceQuota", metadata={"namespace": "x"}, status={"hard": {"pods": "4"}})
    limits = [{"type": "Container", "default": {"cpu": "1"}}]
    limit_range = made("v1", "LimitRange", metadata={"namespace": "x"}, spec={"limits": limits})
    space = made("v1", "Namespace", metadata={"namespace": None}, status={"phase": "Active"})
    assert section(describe(space, around(quota, limit_range)), "Status:") == [
        "Status:       Active",
        "",
        "Resource Quotas",
        "  Name:     x",
        "  Resource  Used  Hard",
        "  --------  ---   ---",
        "  pods      0     4",
        "",
        "Resource Limits",
        " Type       Resource  Min  Max  Default Request  Default Limit  Max Limit/Request Ratio",
        " ----       --------  ---  ---  ---------------  -------------  -----------------------",
        " Container  cpu       -    -    -                1              -",
    ]
    assert describe(space, around()).endswith("\n\nNo resource quota.\n\nNo LimitRange resource.\n")


def test_what_is_behind_a_service() -> None:
    subset = {"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}], "ports": [{"port": 80, "protocol": "TCP"}]}
    text = describe(made("v1", "Endpoints", subsets=[subset]), around())
    assert section(text, "Subsets") == [
        "Subsets:",
        "  Addresses:          10.0.0.1,10.0.0.2",
        "  NotReadyAddresses:  <none>",
        "  Ports:",
        "    Name     Port  Protocol",
        "    ----     ----  --------",
        "    <unset>  80    TCP",
        "",
        "Events:  <none>",
    ]
    assert section(recorded("rollout", "EndpointSlice"), "AddressType")[:9] == [
        "AddressType:  IPv4",
        "Ports:",
        "  Name  Port  Protocol",
        "  ----  ----  --------",
        "  http  8080  TCP",
        "Endpoints:",
        "  - Addresses:  <ip back-867d5bb88d-<1>>",
        "    Conditions:",
        "      Ready:    true",
    ]


def test_any_other_kind() -> None:
    spec = {"cronSpec": "* * * * */5", "urlPath": None, "on": True, "list": ["a", {"uid": 1}], "x1y": 2}
    text = describe(made("stable.example.com/v1", "CronTab", spec=spec, metadata={"uid": "9"}), around())
    assert text == (
        "Name:         x\n"
        "Namespace:    shop\n"
        "Labels:       <none>\n"
        "Annotations:  <none>\n"
        "API Version:  stable.example.com/v1\n"
        "Kind:         CronTab\n"
        "Metadata:\n"
        "  UID:  9\n"
        "Spec:\n"
        "  Cron Spec:  * * * * */5\n"
        "  List:\n"
        "    a\n"
        "    UID:     1\n"
        "  On:        true\n"
        "  URL Path:  <nil>\n"
        "  x1y:       2\n"
        "Events:      <none>\n"
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [("apiVersion", "API Version"), ("clusterIP", "Cluster IP"), ("a.b/c", "a.b/c"), ("http2", "http2"), ("x", "X")],
)
def test_field_names_in_words(field: str, words: str) -> None:
    assert label(field) == words


def test_events_of_the_object_only() -> None:
    event = made(
        "v1",
        "Event",
        type="Warning",
        reason="Failed",
        message=" no\x1b[31m",
        count=3,
        firstTimestamp="2026-01-01T11:00:00Z",
        lastTimestamp=BORN,
        source={"component": "kubelet"},
        involvedObject={"kind": "Widget", "name": "x", "namespace": "shop"},
    )
    other = {"type": "Normal", "reason": "Other", "message": "m", "object": "Widget/y"}
    elsewhere = {"type": "Normal", "reason": "Far", "message": "m", "object": "Widget/x", "namespace": "far"}
    plain = {"type": "Normal", "reason": "Plain", "message": "m", "object": "Widget/x", "count": 2}
    widget = made("example.com/v1", "Widget")
    text = describe(widget, around(events=[of_object(event, NOW), other, elsewhere, plain]))
    assert section(text, "Events") == [
        "Events:",
        "  Type     Reason  Age                  From     Message",
        "  ----     ------  ----                 ----     -------",
        "  Warning  Failed  5m30s (x3 over 60m)  kubelet  no\\e[31m",
        "  Normal   Plain   <unknown> (x2)                m",
    ]
    assert "Events" not in describe(widget, around(events=[plain], show_events=False))


def test_long_annotations_stand_below_their_name_and_are_cut() -> None:
    notes = {"a": "short", "b": "x" * 200, "kubectl.kubernetes.io/last-applied-configuration": "{}", "c": "one\ntwo\n"}
    text = describe(made("example.com/v1", "Widget", metadata={"annotations": notes}), around())
    assert section(text, "Annotations", "API") == [
        "Annotations:  a: short",
        "              b:",
        f"                {'x' * 138}...",
        "              c:",
        "                one",
        "                two",
    ]


@pytest.mark.parametrize("key", [*sorted(BY_KIND), ("example.com", "Widget")], ids=lambda k: k[1])
def test_no_description_breaks_on_parts_of_a_wrong_type(key: tuple[str, str]) -> None:
    parts = "spec status data rules subjects roleRef parameters".split()
    for wrong in (None, [], {}, "x", 1, [None], [{"a": None}]):
        for part in parts:
            obj = made(f"{key[0]}/v1".lstrip("/"), key[1], **{part: wrong})
            assert describe(obj, around(obj)).startswith("Name: ")


@pytest.mark.parametrize("key", [*sorted(BY_KIND), ("example.com", "Widget")], ids=lambda k: k[1])
def test_hostile_names_stay_on_their_line(key: tuple[str, str]) -> None:
    hostile = "\x1b[31m\n::error::x\r##[group]\u202e"
    meta = {"name": hostile, "labels": {hostile: hostile}, "annotations": {hostile: hostile}}
    obj = made(f"{key[0]}/v1".lstrip("/"), key[1], metadata=meta, data={hostile: hostile}, spec={hostile: hostile})
    text = describe(obj, around(obj))
    assert not set("\x1b\r\u202e") & set(text)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())
